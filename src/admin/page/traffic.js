/* The view of traffic: counters, the graph as a heat map, what ends most often and what took longest. */

import { ask } from './api.js';
import { makeCounters } from './counters.js';
import { el } from './dom.js';
import { duration, percent, statusText } from './format.js';
import { makeHeat } from './heat.js';
import { t } from './language.js';
import { listen } from './live.js';
import { ranking } from './ranking.js';
import { exchangeAddress, reasonAddress } from './route.js';
import { errorState } from './states.js';
import { makeUpstreams } from './upstreams.js';

const REFRESH_MS = 4000, SLOW_MS = 15_000, TOP = 12, SLOWEST = 8;

function choice(label, name, options, onchange) {
    const buttons = options.map(([value, text]) => el('label', null,
        el('input', { type: 'radio', name, value, checked: value === options[0][0], onchange: () => onchange(value) }), el('span', null, text)));

    return el('fieldset', { class: 'choice' }, el('legend', { class: 'hidden' }, label), buttons);
}

export function mountTraffic(place) {
    const counters = makeCounters(), upstreams = makeUpstreams(), end = new AbortController();
    const stage = el('div', { class: 'stage' }, el('p', { class: 'quiet' }, t('loading'))), ends = el('div'), reasons = el('div'), slowest = el('div');
    const covers = el('p', { class: 'quiet covers' });
    let heat = null, minutes = '0', failed = '0', timer = 0, slowTimer = 0;

    async function refresh() {
        clearTimeout(timer);
        try {
            const answer = await ask('/api/heat', failed === '1' ? { minutes, failed } : { minutes }, end.signal);

            heat.show(answer.edges);
            ends.replaceChildren(topEnds(heat, answer.edges));
            reasons.replaceChildren(topReasons(heat, answer.edges));
            covers.textContent = t('covers', { n: answer.exchanges, time: duration(answer.covers_ms) });
            await upstreams.refresh(end.signal);
        } catch (error) {
            if (end.signal.aborted)
                return;
            covers.textContent = t('unreachable');
        }
        timer = setTimeout(refresh, REFRESH_MS);
    }

    async function refreshSlow() {
        try {
            const pages = await Promise.all([{}, { failed: 1 }].map(which => ask('/api/exchanges', { ...which, limit: 500 }, end.signal)));

            slowest.replaceChildren(slowList([...new Map(pages.flatMap(page => page.exchanges).map(row => [row.id, row])).values()]));
        } catch {
            if (end.signal.aborted)
                return;
        }
        slowTimer = setTimeout(refreshSlow, SLOW_MS);
    }

    const pulse = ({ total }) => counters.show(total);

    async function start() {
        try {
            const made = await makeHeat();

            if (end.signal.aborted)
                return made.release();
            heat = made;
            stage.replaceChildren(heat.element);
            heat.settle();
            await refresh();
        } catch (error) {
            if (!end.signal.aborted)
                stage.replaceChildren(errorState(error));
        }
    }

    const unlisten = listen('pulse', pulse);

    place.replaceChildren(el('div', { class: 'traffic' }, counters.element,
        el('div', { class: 'bar' },
            choice(t('span'), 'minutes', [['0', t('sinceStart')], ['1', t('lastMinutes', { n: 1 })], ['5', t('lastMinutes', { n: 5 })], ['15', t('lastMinutes', { n: 15 })]],
                value => { minutes = value; refresh(); }),
            choice(t('which'), 'failed', [['0', t('all')], ['1', t('failures')]], value => { failed = value; refresh(); }), covers),
        el('div', { class: 'columns' }, stage, el('div', { class: 'lists' }, upstreams.element,
            el('section', { class: 'ends' }, el('h3', null, t('topEnds')), ends),
            el('section', null, el('h3', null, t('topReasons')), reasons),
            el('section', null, el('h3', null, t('slowest'), el('span', { class: 'quiet small' }, ` ${t('slowestOf')}`)), slowest)))));
    start();
    refreshSlow();
    ask('/api/workers', {}, end.signal).then(pulse, () => {});
    return {
        update() {},
        release() {
            end.abort();
            clearTimeout(timer);
            clearTimeout(slowTimer);
            unlisten();
            heat?.release();
        },
    };
}

function topEnds(heat, edges) {
    const rows = heat.graph.edges.filter(edge => edge.end && edges[edge.id]).sort((a, b) => edges[b.id] - edges[a.id]).slice(0, TOP);

    if (!rows.length)
        return el('p', { class: 'quiet' }, t('nothingThere'));
    return ranking(rows.map(edge => ({
        name: edge.end, note: `${edge.status || t('none')} · ${edge.from}`, href: reasonAddress(edge.end), class: `class-${Math.floor(edge.status / 100)}`,
        count: edges[edge.id], node: edge.from,
    })), { onlook: row => heat.lookAt(row?.node ?? null) });
}

/* Of the same time span as the map: the same reason may be named at several nodes. */
function topReasons(heat, edges) {
    const counts = new Map();

    for (const edge of heat.graph.edges)
        if (edge.end && edges[edge.id])
            counts.set(edge.end, (counts.get(edge.end) ?? 0) + edges[edge.id]);
    if (!counts.size)
        return el('p', { class: 'quiet' }, t('nothingThere'));
    const all = [...counts.values()].reduce((sum, n) => sum + n, 0);

    return ranking([...counts].sort((a, b) => b[1] - a[1]).slice(0, TOP).map(([name, count]) =>
        ({ name, href: reasonAddress(name), count, note: percent(count / all) })));
}

function slowList(rows) {
    const slow = rows.filter(row => row.ms > 0).sort((a, b) => b.ms - a.ms).slice(0, SLOWEST);

    if (!slow.length)
        return el('p', { class: 'quiet' }, t('nothingThere'));
    return ranking(slow.map(row => ({
        name: `${row.method} ${row.target}`, href: exchangeAddress(row.id), note: statusText(row) + (row.broken ? ` ✕ ${row.broken}` : ''),
        class: row.broken ? 'unsent' : `class-${Math.floor(row.status / 100)}`, count: row.ms, text: duration(row.ms),
    })));
}
