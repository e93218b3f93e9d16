/* The event stream when the server goes and comes. */

import { live, rowOf, targets } from './console.mjs';
import { equal, eventually, test } from './harness.mjs';

test('after a restart the page goes on by itself', async t => {
    t.allow(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/);
    const site = await t.serve(), page = await t.open(site), state = () => page.locator('.live').getAttribute('data-state');

    await live(page);
    await rowOf(page, (await site.get('/before')).id);
    await site.stop();
    await eventually(state, 'lost');
    await eventually(() => page.locator('.live-text').innerText(), /Connection lost/);
    await site.start();
    await live(page);
    const { id } = await site.get('/after');

    await rowOf(page, id);
    equal((await targets(page))[0], '/after');
});

test('a stream that was refused is asked for again', async t => {
    t.allow(/503 \(Service Unavailable\)/);
    const site = await t.serve({ limits: { event_streams: 1 } }), first = await t.open(site);

    await live(first);
    const second = await t.open(site);

    await eventually(() => second.locator('.live').getAttribute('data-state'), 'lost');
    await first.close();
    await live(second);
    await rowOf(second, (await site.get('/after')).id);
});
