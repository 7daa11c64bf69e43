/**
 * What terminated media costs, and how well it keeps time. Run it on a machine that does nothing else, not pinned: V8 has threads of its own:
 *
 *   node --import tsx test/bench/players/main.ts [--streams 200] [--seconds 10]
 *
 * Prints one JSON object: players and recorders over real sockets on loopback (RTP goes round: each player's phone is a recorder), and how many
 * conference parties and in-band detectors one core carries.
 */
import { spawn } from 'node:child_process';
import { bundle } from '../rates/bundle.js';

const program = await bundle('players', 'players');
spawn(process.execPath, [program, ...process.argv.slice(2)], { stdio: 'inherit' }).on('exit', (code) => {
  process.exitCode = code ?? 1;
});
