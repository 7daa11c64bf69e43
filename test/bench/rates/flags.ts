/** What the command line says: words, and `--name value` or `--name`. */
export class Flags {
  readonly words: readonly string[];
  readonly #values = new Map<string, string>();

  constructor(args: readonly string[]) {
    const words: string[] = [];
    for (let i = 0; i < args.length; i++) {
      const arg = args[i] as string;
      const next = args[i + 1];
      if (!arg.startsWith('--')) words.push(arg);
      else if (next === undefined || next.startsWith('--')) this.#values.set(arg.slice(2), '');
      else {
        this.#values.set(arg.slice(2), next);
        i++;
      }
    }
    this.words = words;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  text(name: string): string | undefined {
    return this.#values.get(name);
  }

  number(name: string, otherwise: number): number {
    const text = this.#values.get(name);
    if (text === undefined) return otherwise;
    const value = Number(text);
    if (!Number.isFinite(value)) throw new Error(`--${name}: found "${text}", expected a number`);
    return value;
  }

  numbers(name: string, otherwise: readonly number[]): readonly number[] {
    return this.#values.get(name)?.split(',').map(Number) ?? otherwise;
  }
}
