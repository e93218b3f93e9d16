/* The view of what runs: exchanges that have not ended, and where in the graph each of them is. */

import { ask, askOnce } from './api.js';
import { el } from './dom.js';
import { duration } from './format.js';
import { makeFrame } from './frame.js';
import { t } from './language.js';
import { boxOf, unionOf } from './picture.js';
import { errorState } from './states.js';

const REFRESH_MS = 1000;

function nodeCell(x, words, shown) {
    if (!x.node)
        return el('td', { class: 'where quiet' }, t(`state_${x.state.replace('-', '_')}`));
    return el('td', { class: 'where' }, el('a', { href: `#now=${encodeURIComponent(x.node)}`, 'aria-current': x.node === shown ? 'true' : null }, x.node),
        el('span', { class: 'quiet' }, words.get(x.node)));
}

function row(x, words, shown) {
    const asked = x.method ? `${x.method} ${x.target}` : t('unreadYet');

    return el('tr', null,
        el('td', { class: 'number' }, duration(x.ms)),
        el('td', { class: 'asked', title: asked }, asked, el('span', { class: 'quiet' }, x.client)),
        el('td', { class: 'state-name' }, t(`state_${x.state.replace('-', '_')}`)),
        nodeCell(x, words, shown),
        el('td', { class: 'waits' }, x.wait ? `${x.wait}, ${duration(x.wait_ms)}` : ''));
}

export function mountNow(place) {
    const end = new AbortController(), body = el('tbody'), note = el('p', { class: 'quiet' }), stage = el('div', { class: 'stage' });
    const table = el('table', { class: 'running' }, el('thead', null, el('tr', null,
        ['runningFor', 'request', 'state', 'where', 'waitsFor'].map(name => el('th', { scope: 'col', class: name === 'runningFor' ? 'number' : null }, t(name))))), body);
    let timer = 0, shown = null, frame = null, words = new Map();

    function show({ exchanges, more, silent }) {
        const parts = [exchanges.length ? t('runningCount', { n: exchanges.length + more }) : t('noneRunning')];

        if (more)
            parts.push(t('moreRunning', { n: more }));
        if (silent)
            parts.push(t('silent', { n: silent }));
        note.textContent = parts.join(' · ');
        table.hidden = exchanges.length === 0;
        const focused = body.contains(document.activeElement) ? [...body.querySelectorAll('a')].indexOf(document.activeElement) : -1;

        body.replaceChildren(...exchanges.map(x => row(x, words, shown)));
        if (focused >= 0)
            body.querySelectorAll('a')[focused]?.focus();
    }

    async function refresh() {
        try {
            show(await ask('/api/running', {}, end.signal));
        } catch (error) {
            if (end.signal.aborted)
                return;
            note.textContent = t('unreachable');
        }
        timer = setTimeout(refresh, REFRESH_MS);
    }

    async function mark() {
        frame ??= await makeFrame(t('heatPicture'), picture => picture.box);
        if (end.signal.aborted)
            return frame.release();
        const { picture, panZoom } = frame, node = picture.find(`n-${shown}`);

        if (!frame.element.isConnected) {
            stage.replaceChildren(frame.element);
            frame.settle();
        }
        picture.svg.classList.add('lit');
        picture.svg.querySelectorAll('.on, .looked').forEach(part => part.classList.remove('on', 'looked'));
        if (!node)
            return panZoom.fit(picture.box);
        node.classList.add('on', 'looked');
        const b = boxOf(node);

        panZoom.fit(unionOf([b, { x: b.x - 160, y: b.y - 120, width: b.width + 320, height: b.height + 240 }]), { glide: false });
        frame.showCard(node, [el('p', { class: 'card-name' }, shown), el('span', { class: 'question' }, words.get(shown) ?? '')]);
    }

    place.replaceChildren(el('div', { class: 'now' }, el('div', { class: 'list' }, el('div', { class: 'bar' }, note), table), stage));
    askOnce('/api/graph').then(graph => { words = new Map(graph.nodes.map(node => [node.name, node.text])); }, () => {}).then(refresh);
    return {
        update(route) {
            shown = route.key;
            place.firstChild.classList.toggle('with-stage', shown !== null);
            if (shown)
                mark().catch(error => stage.replaceChildren(errorState(error)));
        },
        release() {
            end.abort();
            clearTimeout(timer);
            frame?.release();
        },
    };
}
