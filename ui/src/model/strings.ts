// Every distinct text once: events repeat programs, paths and policies endlessly.
export class Strings {
  readonly texts: string[] = [''];
  private readonly ids = new Map<string, number>([['', 0]]);

  add(text: string | undefined): number {
    if (text === undefined) return 0;
    let id = this.ids.get(text);
    if (id === undefined) {
      id = this.texts.length;
      this.texts.push(text);
      this.ids.set(text, id);
    }
    return id;
  }

  find(text: string): number | undefined {
    return this.ids.get(text);
  }

  get(id: number): string {
    return this.texts[id] ?? '';
  }

  get size(): number {
    return this.texts.length;
  }
}

// A test of texts whose answers are remembered by id.
export class Memo {
  private answers = new Uint8Array(1024);

  constructor(
    private readonly strings: Strings,
    private readonly test: (text: string) => boolean,
  ) {}

  holds(id: number): boolean {
    if (id >= this.answers.length) {
      const larger = new Uint8Array(Math.max(id + 1, this.strings.size, this.answers.length * 2));
      larger.set(this.answers);
      this.answers = larger;
    }
    const known = this.answers[id];
    if (known) return known === 2;
    const is = id !== 0 && this.test(this.strings.get(id));
    this.answers[id] = is ? 2 : 1;
    return is;
  }
}

// How often each id came.
export class Tally {
  private counts = new Uint32Array(256);

  add(id: number): void {
    if (id >= this.counts.length) {
      const larger = new Uint32Array(Math.max(id + 1, this.counts.length * 2));
      larger.set(this.counts);
      this.counts = larger;
    }
    this.counts[id]!++;
  }

  // The most frequent first, the empty text left out.
  top(strings: Strings, limit: number): [string, number][] {
    const found: [number, number][] = [];
    for (let id = 1; id < this.counts.length; id++) {
      const n = this.counts[id]!;
      if (n) found.push([id, n]);
    }
    found.sort((a, b) => b[1] - a[1]);
    return found.slice(0, limit).map(([id, n]) => [strings.get(id), n]);
  }
}
