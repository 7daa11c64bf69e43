import type { RelayMemory } from './relayed-call.js';

/** Answers the questions of the parent process (`Program.ask`), one at a time. */
export function answerParent(answers: Readonly<Record<string, (detail: unknown) => unknown>>): void {
  const all: typeof answers = { memory: memoryNow, ...answers };
  process.on('message', (message: { readonly id: number; readonly question: string; readonly detail: unknown }) => {
    void Promise.resolve(all[message.question]?.(message.detail)).then((answer) =>
      process.send?.({ id: message.id, answer }),
    );
  });
  process.on('disconnect', () => process.exit());
}

function memoryNow(): RelayMemory {
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heapBytes: heapUsed + external, residentBytes: rss };
}
