/* The servers that requests are handed on to, as a small table. */

import { ask } from './api.js';
import { el } from './dom.js';
import { number } from './format.js';
import { t } from './language.js';
import { filterAddress } from './route.js';

function stateOf(server) {
    if (server.down)
        return ['out', t('serverDown')];
    if (server.live === server.workers)
        return ['live', t('serverLive')];
    const word = server.checked_down ? t('serverCheckedDown') : t('serverResting');

    return server.live ? ['partly', t('serverPartly', { state: word, live: server.live, of: server.workers })] : ['resting', word];
}

function row(server) {
    const [state, word] = stateOf(server);

    return el('tr', { 'data-state': state },
        el('th', { scope: 'row', title: server.server }, el('code', null, server.server)),
        el('td', null, el('span', { class: 'mark', 'aria-hidden': 'true' }), word),
        el('td', { class: 'number more', title: t('idleOf', { n: server.idle }) }, number(server.connections)),
        el('td', { class: 'number more', title: t('waitingOf', { n: server.waiting }) }, number(server.exchanges)),
        el('td', { class: 'number' }, number(server.requests)),
        el('td', { class: 'number' }, number(server.failures)));
}

function group({ name, servers }) {
    return el('tbody', null,
        el('tr', { class: 'name' }, el('th', { colspan: 6, scope: 'rowgroup' }, el('a', { href: filterAddress(`upstream:${name}`) }, name))),
        servers.map(row));
}

export function makeUpstreams() {
    const table = el('table'), element = el('section', { class: 'upstreams', hidden: true }, el('h3', null, t('upstreams')), table);
    const heads = [['server'], ['state'], ['connections', 'number more'], ['running', 'number more'], ['requests', 'number'], ['serverFailures', 'number']].map(
        ([name, look]) => el('th', { scope: 'col', class: look ?? null }, t(name)));
    const head = el('thead', null, el('tr', null, heads));

    return {
        element,
        /* What fails is asked for again with the next refresh; the others tell that the server is gone. */
        async refresh(signal) {
            const { upstreams } = await ask('/api/upstreams', {}, signal);
            const focused = document.activeElement?.closest('.upstreams') ? document.activeElement.textContent : null;

            element.hidden = upstreams.length === 0;
            table.replaceChildren(head, ...upstreams.map(group));
            if (focused !== null)
                [...table.querySelectorAll('a')].find(link => link.textContent === focused)?.focus();
        },
    };
}
