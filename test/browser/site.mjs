/* A running server with a directory and a configuration of its own. */

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';

import { curl, raw } from './request.mjs';

const START_MS = 10_000, STOP_MS = 15_000, KEPT_MS = 1_000;
const running = new Set();

/* The last resort: nothing is left behind, however this process ends. */
process.on('exit', () => {
    for (const site of running)
        site.abandon();
});

export function freePort() {
    return new Promise(done => {
        const server = createServer().listen(0, '127.0.0.1', () => {
            const { port } = server.address();

            server.close(() => done(port));
        });
    });
}

/* JSON is YAML, so that values need no quoting. */
function configuration(tree, { routes = [], files = {}, route = {}, ...rest }) {
    return JSON.stringify({ explain: 'all', ...rest, sites: [{ routes: [{ path: '/', files: tree, ...route }, ...routes] }] });
}

export class Site {
    #child = null;
    #ended = null;
    #said = '';

    /*
     * files     {path: content} of the directory
     * route     keys of the route that serves it; routes: further ones
     * adminPort where the console is; else any free port
     * and whatever else the top of a configuration has
     */
    constructor(verdict, { adminPort = 0, ...config }) {
        this.verdict = verdict;
        this.port = 0;
        this.adminPort = adminPort;
        this.place = mkdtempSync(path.join(os.tmpdir(), 'site-'));
        this.tree = path.join(this.place, 'site');
        mkdirSync(this.tree);
        for (const [name, content] of Object.entries(config.files ?? {})) {
            mkdirSync(path.dirname(path.join(this.tree, name)), { recursive: true });
            writeFileSync(path.join(this.tree, name), content);
        }
        this.config = path.join(this.place, 'verdict.yaml');
        writeFileSync(this.config, configuration(this.tree, config));
        running.add(this);
    }

    get url() {
        return `http://127.0.0.1:${this.port}`;
    }

    get console() {
        return `http://127.0.0.1:${this.adminPort}/`;
    }

    /* After stop(), on the same ports again. */
    async start() {
        this.#said = '';
        this.#child = spawn(this.verdict, ['serve', '-c', this.config, '-l', `127.0.0.1:${this.port}`, '--admin', `127.0.0.1:${this.adminPort}`,
            '--workers', '2', '--log', 'off'], { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, XDG_STATE_HOME: this.place } });
        this.#ended = new Promise(done => {
            this.#child.once('error', error => done(String(error)));
            this.#child.once('close', (code, signal) => done(code ?? signal));
        });
        this.#child.stderr.setEncoding('utf8');
        const ready = new Promise(done => this.#child.stderr.on('data', text => {
            this.#said += text;
            if (/^verdict: console http.*\n/m.test(this.#said))
                done(true);
        }));

        const outcome = await Promise.race([ready, this.#ended, later(START_MS)]);

        if (outcome !== true)
            throw new Error(`the server does not start: ${this.#said || outcome}`);
        this.port = Number(/serving http:\/\/127\.0\.0\.1:(\d+)/.exec(this.#said)[1]);
        this.adminPort = Number(/console http:\/\/127\.0\.0\.1:(\d+)/.exec(this.#said)[1]);
    }

    async stop() {
        if (!this.#child)
            return;
        this.#child.kill('SIGTERM');
        const code = await Promise.race([this.#ended, later(STOP_MS)]);

        if (code === undefined)
            this.#child.kill('SIGKILL');
        this.#child = null;
        if (code !== 0)
            throw new Error(`the server ended with ${code ?? 'a kill, because it did not stop'}: ${this.#said}`);
    }

    async remove() {
        try {
            await this.stop();
        } finally {
            this.abandon();
        }
    }

    abandon() {
        running.delete(this);
        this.#child?.kill('SIGKILL');
        rmSync(this.place, { recursive: true, force: true });
    }

    /* A request by curl, with options of its own: {status, reason, id, fields}. */
    get(target, ...options) {
        return curl(`${this.url}${target}`, options);
    }

    /* A request as it is written here, to the last byte; the same answer. */
    raw(text, options) {
        return raw(this.port, text, options);
    }

    /* What the API says. An exchange is kept a moment after its answer has left. */
    async api(query, options) {
        for (const end = Date.now() + KEPT_MS; ; await later(20)) {
            const answer = await fetch(new URL(query, this.console), options);

            if (answer.ok)
                return answer.json();
            if (answer.status !== 404 || Date.now() > end)
                throw new Error(`${query}: ${answer.status}`);
        }
    }
}

function later(ms) {
    return new Promise(done => setTimeout(done, ms, undefined).unref());
}
