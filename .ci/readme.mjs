// Runs the README's examples: node readme.mjs README.md. Each block opened by ```sh run runs in bash, in an empty
// folder that all share, with what the caller's environment offers (URL, TOKEN, PATH). It must end well; a ```json block
// right behind it must be its output; any other JSON that comes out must be free of errors.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

const text = readFileSync(process.argv[2], 'utf8');
const blocks = [...text.matchAll(/^```sh run\n(.*?)^```$(?:\n\n```json\n(.*?)^```$)?/gms)];
const folder = mkdtempSync(join(tmpdir(), 'proxbox-readme-'));

function problem(script, expected) {
  const { status, signal, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (status !== 0) return `ended with ${status ?? signal}\n${stdout}${stderr}`;
  let answer;
  try {
    answer = JSON.parse(stdout);
  } catch {
    return expected === undefined ? null : `no JSON\n${stdout}`;
  }
  if (expected !== undefined && !isDeepStrictEqual(answer, JSON.parse(expected))) return `another answer\n${stdout}`;
  return answer?.errors ? `errors\n${stdout}` : null;
}

let failed = 0;
for (const [, script, expected] of blocks) {
  const wrong = problem(script, expected);
  if (wrong === null) continue;
  failed += 1;
  console.log(`FAILED\n${script}${wrong}`);
}
rmSync(folder, { recursive: true });
console.log(`${blocks.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 && blocks.length > 0 ? 0 : 1;
