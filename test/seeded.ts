import fc from 'fast-check';

/** Properties draw the same inputs in every run, so that a change is judged by itself. `PROPERTY_SEED=…` draws others. */
fc.configureGlobal({ seed: Number(process.env['PROPERTY_SEED'] ?? 1) });
