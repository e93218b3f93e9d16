/* The view of exchanges: what ended lately, as a table, and beside it the one that was chosen. */

import { askOnce } from './api.js';
import { el, modified, say, typing } from './dom.js';
import { exchangeColumns } from './exchange_columns.js';
import { mountExchange } from './exchange.js';
import { feed, loadOlder, setFilter, setPaused, watchFeed } from './feed.js';
import { hasShortcut, shortcuts, withShortcut } from './filter.js';
import { t } from './language.js';
import { exchangeAddress, filterAddress } from './route.js';
import { errorState, noExchanges } from './states.js';
import { Table } from './table.js';

const FILTER_MS = 250;

export function mountExchanges(place) {
    const parts = build();
    const acts = { follow: client => filter(withShortcut('', 'client', client)), back: () => filterAddress(feed.filter) };
    let open = null, filterTimer = 0;

    function show(id) {
        if (open?.id === id)
            return;
        open?.release();
        open = id ? mountExchange(parts.side, id, acts) : null;
        parts.root.classList.toggle('with-side', id !== null);
        parts.table.select(id);
        parts.table.soon();
    }

    function filter(text) {
        clearTimeout(filterTimer);
        parts.box.value = text;
        setFilter(text);
        parts.table.element.scrollTop = 0;
        history.replaceState(null, '', open ? location.hash : filterAddress(text));
    }

    function refresh(added = 0) {
        if (!parts.root.classList.contains('with-upstreams') && feed.rows.some(row => row.upstream_name))
            parts.root.classList.add('with-upstreams');
        parts.table.changed(added);
        drawBar(parts);
        drawFoot(parts);
    }

    function key(event) {
        if (modified(event) || typing(event) && event.key !== 'Escape')
            return;
        const act = actions[event.key];

        if (!act || (event.key === ' ' || event.key === 'Enter') && event.target.closest('button, a, [role=button], summary'))
            return;
        if (act(event) !== false)
            event.preventDefault();
    }

    const openSelected = () => {
        if (parts.table.selected === null)
            return false;
        location.hash = exchangeAddress(parts.table.selected);
        return true;
    };
    const step = by => event => {
        if (event.target.closest('.frame, .steps, .side'))
            return false;
        const row = parts.table.move(by);

        if (open && row)
            location.replace(exchangeAddress(row.id));
        return true;
    };
    const pause = () => setPaused(!feed.paused);
    const escape = event => {
        if (typing(event))
            return event.target.blur();
        return open ? close() : parts.table.select(null);
    };
    const close = () => {
        location.hash = filterAddress(feed.filter);
        parts.table.element.focus({ preventScroll: true });
    };
    const actions = {
        p: pause, ' ': pause, '/': () => parts.box.select(), f: () => parts.failures.click(), Escape: escape,
        j: step(1), ArrowDown: step(1), k: step(-1), ArrowUp: step(-1), Enter: openSelected,
    };

    parts.box.value = feed.filter;
    parts.box.addEventListener('input', () => {
        clearTimeout(filterTimer);
        filterTimer = setTimeout(() => filter(parts.box.value), FILTER_MS);
    });
    parts.pause.addEventListener('click', pause);
    parts.failures.addEventListener('click', () =>
        filter(withShortcut(feed.filter, 'failed', hasShortcut(feed.filter, 'failed', '1') ? null : '1')));
    parts.all.addEventListener('click', () => filter(''));
    document.addEventListener('keydown', key);
    place.replaceChildren(parts.root);
    const unwatch = watchFeed(refresh);

    askOnce('/api/workers').then(({ sites }) => parts.root.classList.toggle('many-sites', sites.filter(name => name && name !== 'admin').length > 1), () => {});
    refresh();
    return {
        update(route) {
            if (route.filter !== null && route.filter !== feed.filter)
                filter(route.filter);
            show(route.id);
        },
        release() {
            unwatch();
            clearTimeout(filterTimer);
            document.removeEventListener('keydown', key);
            open?.release();
            parts.table.release();
        },
    };
}

function build() {
    const at = i => feed.rows[feed.rows.length - 1 - i];
    const table = new Table({
        label: t('exchanges'), columns: exchangeColumns(),
        rows: { count: () => feed.rows.length, at, keyOf: row => row.id },
        onopen: row => { location.hash = exchangeAddress(row.id); },
    });
    const box = el('input', {
        class: 'filter', type: 'search', placeholder: t('filterPlaceholder'), 'aria-label': t('filter'), title: t('filterHelp'),
        autocomplete: 'off', spellcheck: 'false',
    });
    const pause = el('button', { type: 'button', class: 'pause', title: t('pauseHint'), 'aria-pressed': 'false' }, t('pause'));
    const failures = el('button', { type: 'button', title: t('failuresHint'), 'aria-pressed': 'false' }, t('failuresOnly'));
    const all = el('button', { type: 'button', class: 'plain', hidden: true }, t('clearFilter'));
    const count = el('p', { class: 'count' }), wrong = el('p', { class: 'wrong', role: 'status' });
    const side = el('section', { class: 'side', 'aria-label': t('exchange') });
    const list = el('section', { class: 'list', 'aria-label': t('exchanges') },
        el('div', { class: 'bar' }, box, failures, pause, all, count, wrong), table.element);

    return { root: el('div', { class: 'exchanges' }, list, side), table, box, pause, failures, all, count, wrong, side };
}

/* How many rows there are, and what was left away. */
function countText() {
    const parts = [t('rows', { n: feed.rows.length })];

    if (feed.pending.length)
        parts.push(t('waiting', { n: feed.pending.length }));
    if (feed.skipped)
        parts.push(t('skipped', { n: feed.skipped }));
    return parts.join(' · ');
}

/* What is wrong with the filter, what may be meant, and what the rows show meanwhile. */
function wrongWords({ kind, part, name, near }) {
    const known = Object.keys(shortcuts).filter(each => each !== 'text').join(', ');
    const words = { name: () => t('filterUnknown', { name, known, part }), reason: () => t('filterReason', { part }), value: () => t('filterValue', { part, example: shortcuts[name] }) }[kind]();
    const links = near.map(reason => el('a', { href: filterAddress(feed.filter.replace(part, `reason:${reason}`)) }, reason));

    return [words, links.length > 0 && [` ${t('filterNear')} `, links.flatMap((link, i) => (i ? [', ', link] : [link]))],
        ` ${feed.followed ? t('filterKept', { what: feed.followed }) : t('filterNone')}`].flat(2).filter(Boolean);
}

/* Drawn anew only when it says something else: it is read out, and its links may have the focus. */
function drawWrong(element) {
    const key = feed.wrong ? `${feed.filter}\n${feed.followed}` : '';

    if (element.dataset.key === key)
        return;
    element.dataset.key = key;
    element.replaceChildren(...feed.wrong ? wrongWords(feed.wrong) : []);
}

function drawBar({ pause, failures, all, count, wrong, box }) {
    say(pause, feed.paused ? t('resume') : t('pause'));
    pause.setAttribute('aria-pressed', String(feed.paused));
    failures.setAttribute('aria-pressed', String(hasShortcut(feed.filter, 'failed', '1')));
    all.hidden = feed.filter === '';
    say(count, countText());
    drawWrong(wrong);
    box.setAttribute('aria-invalid', String(feed.wrong !== null));
}

function drawFoot({ table }) {
    const foot = table.foot;
    const kind = feed.error ? `error ${feed.error.kind}` : !feed.loaded ? 'loading' : !feed.rows.length ? `empty ${feed.filter}`
        : feed.loading ? 'busy' : feed.next ? 'more' : 'end';

    if (foot.dataset.kind === kind)
        return;
    foot.dataset.kind = kind;
    if (feed.error)
        foot.replaceChildren(errorState(feed.error));
    else if (!feed.loaded || feed.loading)
        foot.replaceChildren(el('p', { class: 'quiet' }, t('loading')));
    else if (!feed.rows.length)
        foot.replaceChildren(noExchanges(feed.filter !== ''));
    else if (feed.next)
        foot.replaceChildren(el('button', { type: 'button', onclick: loadOlder }, t('loadOlder')));
    else
        foot.replaceChildren(el('p', { class: 'quiet' }, t('noOlder')));
}
