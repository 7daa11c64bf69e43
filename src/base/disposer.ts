/** Collects what must be undone and undoes it, last first. */
export class Disposer {
  #undos: (() => void | Promise<void>)[] = [];

  add(undo: () => void | Promise<void>): void {
    this.#undos.push(undo);
  }

  /** Undoes everything, even when one fails. @throws the first failure, afterwards. */
  async dispose(): Promise<void> {
    const undos = this.#undos;
    this.#undos = [];
    const failures: unknown[] = [];
    for (const undo of undos.reverse()) {
      try {
        await undo();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
