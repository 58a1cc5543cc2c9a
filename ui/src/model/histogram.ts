// Counts over time in at most `bins` steps, however long the session: when they
// are used up, pairs of steps become one and each is twice as long.
const FIRST_STEP_MS = 100;

export interface Timeline {
  start: number;
  step: number;
  series: Uint32Array[];
}

export class Histogram {
  private start = 0;
  private step = FIRST_STEP_MS;
  private used = 0;
  private readonly data: Uint32Array[];

  constructor(
    n: number,
    private readonly bins = 512,
  ) {
    this.data = Array.from({ length: n }, () => new Uint32Array(bins));
  }

  add(time: number, series: number): void {
    if (!Number.isFinite(time)) return;
    if (this.used === 0) this.start = Math.floor(time / FIRST_STEP_MS) * FIRST_STEP_MS;
    // A clock that was set back counts to the first step.
    let bin = Math.max(0, Math.floor((time - this.start) / this.step));
    while (bin >= this.bins) {
      this.halve();
      bin = Math.floor((time - this.start) / this.step);
    }
    this.used = Math.max(this.used, bin + 1);
    this.data[series]![bin]!++;
  }

  get(): Timeline {
    return { start: this.start, step: this.step, series: this.data.map((d) => d.slice(0, this.used)) };
  }

  private halve(): void {
    for (const d of this.data) {
      for (let i = 0; i < this.bins / 2; i++) d[i] = d[2 * i]! + d[2 * i + 1]!;
      d.fill(0, this.bins / 2);
    }
    this.used = Math.ceil(this.used / 2);
    this.step *= 2;
  }
}
