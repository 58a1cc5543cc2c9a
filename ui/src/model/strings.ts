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

// Which texts pass a test: asked once for each text, then looked up by id.
export class Memo {
  answers = new Uint8Array(1024);
  private asked = 1;

  constructor(
    private readonly strings: Strings,
    private readonly test: (text: string) => boolean,
  ) {}

  // To be called when texts have come, before answers are read.
  extend(): Uint8Array {
    const { size, texts } = this.strings;
    if (size > this.answers.length) {
      const larger = new Uint8Array(size * 2);
      larger.set(this.answers);
      this.answers = larger;
    }
    for (let id = this.asked; id < size; id++) this.answers[id] = this.test(texts[id]!) ? 1 : 0;
    this.asked = size;
    return this.answers;
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
