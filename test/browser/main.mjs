/* Runs the tests of test_*.mjs, one after the other, in one browser: test/browser/run calls it. */

import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

import { launch } from './browser.mjs';
import { registered } from './harness.mjs';
import { Scene } from './scene.mjs';

const here = path.dirname(fileURLToPath(import.meta.url)), root = path.resolve(here, '../..'), place = path.join(root, 'build/browser');
const TEST_MS = 30_000;

function options(words) {
    const at = words.indexOf('--build');

    return {
        build: path.resolve(at < 0 ? path.join(root, 'build/release') : words[at + 1] ?? ''),
        names: words.filter((_, i) => at < 0 || i !== at && i !== at + 1),
    };
}

async function load(names) {
    const files = (await readdir(here)).filter(name => /^test_\w+\.mjs$/.test(name)).sort();

    for (const file of files) {
        const from = registered.length;

        await import(path.join(here, file));
        for (const one of registered.slice(from))
            one.title = `${file.slice('test_'.length, -'.mjs'.length)}: ${one.name}`;
    }
    return registered.filter(one => !names.length || names.some(name => one.title.includes(name)));
}

function within(ms, promise) {
    let timer = 0;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`took longer than ${ms / 1000} s`)), ms);
    });

    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/* One test with its servers and pages, which end with it. The error, or null. */
async function run({ title, body }, browser, verdict) {
    const scene = new Scene(browser, verdict), shot = path.join(place, `${title.replace(/\W+/g, '-')}.png`);
    let error = null;

    await rm(shot, { force: true });
    try {
        await within(TEST_MS, body(scene));
        scene.check();
    } catch (thrown) {
        error = thrown;
        error.notes = [...scene.complaints(), await scene.shoot(shot) && `picture: ${path.relative(root, shot)}`].filter(Boolean);
    }
    try {
        await scene.end();
    } catch (thrown) {
        error ??= thrown;
    }
    return error;
}

function report(number, title, error) {
    console.log(`${error ? 'not ok' : 'ok'} ${number} - ${title}`);
    if (error)
        console.log([...error.stack.split('\n'), ...error.notes ?? []].map(line => `#   ${line}`).join('\n'));
}

async function main() {
    const { build, names } = options(process.argv.slice(2)), tests = await load(names);
    let failed = 0;

    await mkdir(place, { recursive: true });
    /* A browser that is ended early leaves files behind: so all are in one place, which goes last. */
    process.env.TMPDIR = mkdtempSync(path.join(os.tmpdir(), 'verdict-browser-'));
    const browser = await launch(place);

    process.on('exit', () => rmSync(process.env.TMPDIR, { recursive: true, force: true }));
    try {
        for (const [i, one] of tests.entries()) {
            const error = await run(one, browser, path.join(build, 'verdict'));

            report(i + 1, one.title, error);
            failed += error ? 1 : 0;
        }
    } finally {
        await browser.close();
    }
    console.log(`${tests.length - failed} passed, ${failed} failed`);
    return tests.length && !failed ? 0 : 1;
}

/* Whoever ends this process ends all that it started: each has a listener for that. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.once(signal, () => process.exit(2));

process.exit(await main());
