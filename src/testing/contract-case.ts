/** One test of a contract suite, for any test runner: `for (const { name, run } of suite) test(name, run)`. */
export interface ContractCase {
  readonly name: string;
  /** Rejects with an AssertionError where the adapter breaks the contract. */
  readonly run: () => Promise<void>;
}
