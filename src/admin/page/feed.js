/*
 * The exchanges that the page knows of, oldest first: a first page of the list, then events, then older pages on demand.
 * One feed for the page, so that the table is there at once when the reader comes back to it.
 */

import { ask, askOnce } from './api.js';
import { readFilter } from './filter.js';
import { listen, streamOf } from './live.js';

const MOST = 10_000, PAGE = 200;

export const feed = {
    rows: [],
    pending: [],     /* that came while paused */
    paused: false,
    skipped: 0,      /* that the server left away */
    next: null,      /* cursor of the page behind the oldest row */
    loading: false,
    loaded: false,
    error: null,
    filter: '',
    wrong: null,     /* what of the filter cannot be understood: readFilter() */
    followed: '',    /* the filter that the rows follow: the last one that was understood */
};

const ids = new Set(), watchers = new Set();
let parameters = {}, turn = 0, reasons = null;

export function watchFeed(watcher) {
    watchers.add(watcher);
    return () => watchers.delete(watcher);
}

/* `added`: how many rows are new at the newest end; a table that is scrolled down stays where it is. */
function changed(added = 0) {
    for (const watcher of watchers)
        watcher(added);
}

function unseen(rows) {
    return rows.filter(row => !ids.has(row.id) && ids.add(row.id));
}

function trim() {
    const most = feed.rows.length - MOST;

    if (most <= 0)
        return;
    for (const row of feed.rows.splice(0, most))
        ids.delete(row.id);
    feed.next = null;
}

/* Rows of several workers come slightly out of order. */
function append(rows) {
    const last = feed.rows.at(-1)?.time_ms ?? 0;

    feed.rows.push(...rows);
    if (rows.some((row, i) => row.time_ms < (i ? rows[i - 1].time_ms : last)))
        feed.rows.sort((a, b) => a.time_ms - b.time_ms);
    trim();
    changed(rows.length);
}

function forget() {
    feed.rows = [];
    feed.pending = [];
    feed.skipped = 0;
    feed.next = null;
    ids.clear();
}

function came({ rows, skipped }) {
    const fresh = unseen(rows);

    feed.skipped += skipped;
    if (!feed.paused)
        return append(fresh);
    feed.pending.push(...fresh);
    for (const row of feed.pending.splice(0, feed.pending.length - MOST))
        ids.delete(row.id);
    changed();
}

/* The newest page. Where it does not reach what is known, there is a hole: what is older is left to "load older". */
async function loadNewest() {
    const mine = turn;

    try {
        const page = await ask('/api/exchanges', { ...parameters, limit: PAGE });

        if (mine !== turn)
            return;
        const meets = page.exchanges.some(row => ids.has(row.id));

        if (!meets) {
            forget();
            feed.next = page.next;
        }
        feed.error = null;
        feed.loaded = true;
        const fresh = unseen(page.exchanges).reverse();

        if (feed.paused && meets)
            feed.pending.push(...fresh);
        else
            append(fresh);
        changed();
    } catch (error) {
        if (mine !== turn)
            return;
        feed.error = error;
        feed.loaded = true;
        changed();
    }
}

export async function loadOlder() {
    const mine = turn;

    if (!feed.next || feed.loading)
        return;
    feed.loading = true;
    changed();
    try {
        const page = await ask('/api/exchanges', { ...parameters, limit: 500, before: feed.next });

        if (mine !== turn)
            return;
        feed.rows.unshift(...unseen(page.exchanges).reverse());
        feed.next = feed.rows.length < MOST ? page.next : null;
    } catch (error) {
        feed.error = error;
    } finally {
        feed.loading = false;
        changed();
    }
}

/* Their names are asked for when the first one is to be looked for; without them, the server judges. */
async function knowReasons(text) {
    reasons = await askOnce('/api/reasons').then(all => all.map(reason => reason.name), () => []);
    if (feed.filter === text)
        setFilter(text);
}

/* A filter that is not understood leaves the rows as they are. */
export function setFilter(text) {
    const read = readFilter(text, reasons ?? []);

    feed.filter = text;
    feed.wrong = read.wrong;
    if (feed.wrong)
        return changed();
    if (read.parameters.reason && !reasons) {
        knowReasons(text);
        return changed();
    }
    feed.followed = text;
    if (feed.loaded && JSON.stringify(read.parameters) === JSON.stringify(parameters))
        return changed();
    parameters = read.parameters;
    turn++;
    feed.loaded = false;
    feed.loading = false;
    forget();
    changed();
    loadNewest();
    streamOf(ofStream(parameters));
}

/* What comes is newer than any time that is looked back to. */
function ofStream({ since, ...others }) {
    return others;
}

export function setPaused(paused) {
    feed.paused = paused;
    if (paused)
        return changed();
    const rows = feed.pending;

    feed.pending = [];
    append(rows);
}

export function startFeed() {
    listen('rows', came);
    listen('opened', loadNewest);
    setFilter('');
}
