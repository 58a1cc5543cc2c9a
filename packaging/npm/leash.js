#!/usr/bin/env node
// Starts the leash of this machine, which npm has installed as a package of its own.
'use strict';

const { spawn } = require('node:child_process');
const { constants } = require('node:os');
const path = require('node:path');

const platform = process.env.LEASH_NPM_FORCE_PLATFORM || process.platform;
const arch = process.env.LEASH_NPM_FORCE_ARCH || process.arch;
const name = `leash-${platform}-${arch}`;

function fail(text) {
  process.stderr.write(`leash: ${text}\n`);
  process.exit(125);
}

function find() {
  if (process.env.LEASH_NPM_PACKAGE_ROOT) return path.resolve(process.env.LEASH_NPM_PACKAGE_ROOT);
  try {
    return path.dirname(require.resolve(`${name}/package.json`));
  } catch {
    return fail(
      platform === 'linux'
        ? `npm's package ${name} is not installed: install leash without --omit=optional. ` +
            'For processors that it does not have, build leash from its source.'
        : `there is no leash for ${platform} on ${arch}; it runs on Linux, and in its virtual machines.`,
    );
  }
}

// It is in this process group and at this terminal: what the terminal sends reaches it without us, who
// must only not go before it does. What is sent to us alone is passed on.
const child = spawn(path.join(find(), 'bin', 'leash'), process.argv.slice(2), { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGQUIT']) process.on(signal, () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => fail(`${error.path}: ${error.message}`));
child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
