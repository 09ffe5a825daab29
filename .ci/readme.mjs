// Runs the README's examples: node readme.mjs README.md. Each block opened by ```sh run runs in bash, in an empty
// folder that all share, with what the caller's environment offers (URL, TOKEN, PATH). It must end well. A ```json block
// right behind it must be its output, and so must a ```text block, in which … stands for anything in a line, and for any
// lines where it is alone; any other JSON that comes out must be free of errors.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

const text = readFileSync(process.argv[2], 'utf8');
const blocks = [...text.matchAll(/^```sh run\n(.*?)^```$(?:\n\n```(json|text)\n(.*?)^```$)?/gms)];
const folder = mkdtempSync(join(tmpdir(), 'proxbox-readme-'));

const trimmed = (lines) => lines.replace(/[ ]+$/gm, '').trim();

function matches(output, pattern) {
  const lines = trimmed(pattern).split('\n').map((line) => {
    if (line === '…') return '(?:.*\n)*?';
    return `${line.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '.*')}\n`;
  });
  return new RegExp(`^${lines.join('')}$`).test(`${trimmed(output)}\n`);
}

function problem(script, kind, expected) {
  const { status, signal, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (status !== 0) return `ended with ${status ?? signal}\n${stdout}${stderr}`;
  if (kind === 'text') return matches(stdout, expected) ? null : `other words\n${stdout}`;
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
for (const [, script, kind, expected] of blocks) {
  const wrong = problem(script, kind, expected);
  if (wrong === null) continue;
  failed += 1;
  console.log(`FAILED\n${script}${wrong}`);
}
rmSync(folder, { recursive: true });
console.log(`${blocks.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 && blocks.length > 0 ? 0 : 1;
