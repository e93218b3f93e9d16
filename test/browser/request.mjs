/* Requests to a server under test: by curl, a client nobody here wrote, and by bare sockets for what curl would never send. */

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { promisify } from 'node:util';

const run = promisify(execFile);

/* The answer's head: {status, reason, id, fields}; all 0 or empty when nothing came. */
function readHead(text) {
    const [first, ...lines] = text.split('\r\n\r\n')[0].split('\r\n');
    const fields = Object.fromEntries(lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
    const [, reason = '', id = ''] = /^([\w-]+);id="(\w+)"/.exec(fields.verdict ?? '') ?? [];

    return { status: Number(first.split(' ')[1] ?? 0), reason, id, fields };
}

export async function curl(url, options) {
    const { stdout } = await run('curl', ['--silent', '--show-error', '--path-as-is', '--max-time', '20', '--output', '/dev/null', '--dump-header', '-', ...options, url]);

    return readHead(stdout);
}

/* The server must close the connection, so the text asks for that or is wrong. from: the address that the request comes from. */
export async function raw(port, text, { from = '127.0.0.1' } = {}) {
    const socket = connect({ port, host: '127.0.0.1', localAddress: from });
    let got = '';

    socket.setEncoding('latin1');
    socket.on('data', part => { got += part; });
    socket.write(text, 'latin1');
    await once(socket, 'close');
    return readHead(got);
}

/* A connection on which the beginning of a request was sent; the caller destroys it. */
export async function hold(port, text) {
    const socket = connect(port, '127.0.0.1');

    await once(socket, 'connect');
    socket.on('error', () => {});
    socket.write(text, 'latin1');
    return socket;
}
