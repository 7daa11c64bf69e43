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

/** After two collections: what the first one has freed outside of the heap is given back beside it, and counts until then. */
async function memoryNow(): Promise<RelayMemory> {
  globalThis.gc?.();
  await new Promise((resolve) => setTimeout(resolve, 300));
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heapBytes: heapUsed + external, residentBytes: rss };
}
