/* The server over TLS, as a browser sees it: HTTP/2, and a WebSocket that answers. */

import { equal, test } from './harness.mjs';
import { freePort } from './site.mjs';

const PAGE = '<!doctype html><html lang="en"><title>over TLS</title><link rel="icon" href="data:,"><p>there';

/* In the page: what the echo answers to each of the messages. */
function echoed(messages) {
    return new Promise((done, fail) => {
        const socket = new WebSocket(`wss://${location.host}/echo`), got = [];

        socket.onopen = () => messages.forEach(message => socket.send(message));
        socket.onerror = () => fail(new Error('no WebSocket'));
        socket.onmessage = ({ data }) => got.push(data) === messages.length && socket.close(1000, 'enough');
        socket.onclose = ({ code, wasClean }) => done({ got, code, wasClean });
    });
}

test('a browser speaks HTTP/2 and WebSocket over TLS', async t => {
    const port = await freePort();
    const site = await t.serve({ files: { 'index.html': PAGE }, tls: { listen: `127.0.0.1:${port}` }, routes: [{ path: '/echo', websocket: 'echo' }] });
    const page = await t.open(site, `https://localhost:${port}/`, { ignoreHTTPSErrors: true });

    equal(await page.innerText('p'), 'there');
    equal(await page.evaluate(() => performance.getEntriesByType('navigation')[0].nextHopProtocol), 'h2');
    equal(JSON.stringify(await page.evaluate(echoed, ['one', '二', 'x'.repeat(40000)])),
        JSON.stringify({ got: ['one', '二', 'x'.repeat(40000)], code: 1000, wasClean: true }));

    const { exchanges } = await site.api('api/exchanges');

    equal(exchanges.filter(x => x.target === '/echo').map(x => `${x.protocol} ${x.reason}`).join(), 'HTTP/2.0 tunnel-opened');
});
