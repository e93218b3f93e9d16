/* The view of what runs: exchanges that have not ended, and where in the graph each of them is. */

import { ask } from './api.js';
import { el } from './dom.js';
import { bytes, duration } from './format.js';
import { makeFrame } from './frame.js';
import { t } from './language.js';
import { boxOf } from './picture.js';
import { errorState } from './states.js';

const REFRESH_MS = 1000, SLOW_MS = 1000, AROUND = 120;

const stateName = state => t(`state_${state.replace('-', '_')}`);

function nodeCell(x, words, chosen) {
    if (!x.node)
        return el('td', { class: 'where' });
    return el('td', { class: 'where' }, el('a', { href: `#now=${encodeURIComponent(x.node)}`, 'aria-current': x.node === chosen ? 'true' : null }, x.node),
        el('span', { class: 'quiet' }, words.get(x.node)));
}

/* What sends and waits for nothing here waits for its client; for a moment, that is no news. */
function waitsCell(x) {
    const words = x.wait ? `${x.wait}, ${duration(x.wait_ms)}` : x.state === 'sends' && x.ms >= SLOW_MS ? t('sendsSlowly') : '';

    return el('td', { class: 'waits' }, words,
        x.state === 'sends' && el('span', { class: 'quiet' }, t('sentSoFar', { bytes: bytes(x.bytes_out), time: duration(x.ms) })));
}

function row(x, words, chosen) {
    const asked = x.method ? `${x.method} ${x.target}` : t('unreadYet');

    return el('tr', null,
        el('td', { class: 'number' }, duration(x.ms)),
        el('td', { class: 'asked', title: asked }, asked, el('span', { class: 'quiet' }, x.client)),
        el('td', { class: 'state-name' }, stateName(x.state)),
        nodeCell(x, words, chosen),
        waitsCell(x));
}

function makeTable() {
    const body = el('tbody'), heads = ['runningFor', 'request', 'state', 'where', 'waitsFor'].map(name =>
        el('th', { scope: 'col', class: name === 'runningFor' ? 'number' : null }, t(name)));
    const element = el('table', { class: 'running' }, el('thead', null, el('tr', null, heads)), body);

    return {
        element,
        /* A link that had the focus has it again in the new rows. */
        show(rows) {
            const at = [...body.querySelectorAll('a')].indexOf(document.activeElement);

            element.hidden = rows.length === 0;
            body.replaceChildren(...rows);
            if (at >= 0)
                body.querySelectorAll('a')[at]?.focus();
        },
    };
}

function summary({ exchanges, more, silent }) {
    const parts = [exchanges.length ? t('runningCount', { n: exchanges.length + more }) : t('noneRunning')];

    if (more)
        parts.push(t('moreRunning', { n: more }));
    if (silent)
        parts.push(t('silent', { n: silent }));
    return parts.join(' · ');
}

/* The nodes at which exchanges are stand out; the chosen one is shown near. */
function light({ picture, panZoom, showCard, hideCard }, busy, chosen, moved) {
    const node = picture.find(`n-${chosen}`);

    picture.svg.classList.toggle('lit', node !== null || [...busy].some(Boolean));

    for (const name of picture.graph.nodes.map(each => each.name)) {
        const drawn = picture.find(`n-${name}`);

        drawn?.classList.toggle('on', busy.has(name) || name === chosen);
        drawn?.classList.toggle('looked', name === chosen);
    }
    if (!moved)
        return;
    if (!node) {
        hideCard();
        return panZoom.fit(picture.box, { margin: 8, glide: false });
    }
    const b = boxOf(node);

    panZoom.fit({ x: b.x - AROUND, y: b.y - AROUND, width: b.width + 2 * AROUND, height: b.height + 2 * AROUND }, { glide: false, nearest: 1.6 });
    showCard(node, [el('p', { class: 'card-name' }, chosen), el('p', { class: 'said' }, picture.graph.nodes.find(each => each.name === chosen)?.text)]);
}

export function mountNow(place) {
    const end = new AbortController(), table = makeTable(), note = el('p', { class: 'quiet' }), stage = el('div', { class: 'stage' });
    let timer = 0, chosen = null, frame = null, words = new Map(), busy = new Set();

    async function refresh() {
        try {
            const answer = await ask('/api/running', {}, end.signal);

            busy = new Set(answer.exchanges.map(x => x.node));
            note.textContent = summary(answer);
            table.show(answer.exchanges.map(x => row(x, words, chosen)));
            if (frame)
                light(frame, busy, chosen, false);
        } catch (error) {
            if (end.signal.aborted)
                return;
            note.textContent = t('unreachable');
        }
        timer = setTimeout(refresh, REFRESH_MS);
    }

    async function start() {
        try {
            const made = await makeFrame(t('heatPicture'), picture => picture.box);

            if (end.signal.aborted)
                return made.release();
            frame = made;
            words = new Map(frame.picture.graph.nodes.map(node => [node.name, node.text]));
            stage.replaceChildren(frame.element);
            frame.settle();
            light(frame, busy, chosen, true);
        } catch (error) {
            stage.replaceChildren(errorState(error));
        }
    }

    place.replaceChildren(el('div', { class: 'now' }, el('div', { class: 'list' }, el('div', { class: 'bar' }, note), table.element), stage));
    /* Chosen again: the address stays, and the drawing comes back to the node. */
    table.element.addEventListener('click', event => frame && event.target.closest('[aria-current]') && light(frame, busy, chosen, true));
    start().then(refresh);
    return {
        update(route) {
            chosen = route.key;
            place.firstChild.classList.toggle('with-stage', chosen !== null);
            if (frame)
                light(frame, busy, chosen, true);
        },
        release() {
            end.abort();
            clearTimeout(timer);
            frame?.release();
        },
    };
}
