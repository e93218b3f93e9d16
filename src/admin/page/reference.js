/* The view of reference: every status, sub-status and reason, found as one types. */

import { askOnce } from './api.js';
import { el, modified, typing } from './dom.js';
import { entryArticle } from './entry.js';
import { statusClass } from './format.js';
import { t } from './language.js';
import { near, registry, resolve, search } from './registry.js';
import { codeAddress, reasonAddress } from './route.js';
import { errorState } from './states.js';

const GROUPS = ['1xx', '2xx', '3xx', '4xx', '5xx', 'vendors', 'substatuses', 'reasons'];

const addressOf = entry => (entry.kind === 'reason' ? reasonAddress(entry.key) : codeAddress(entry.key));

function item(entry) {
    const code = entry.kind === 'reason' ? entry.reason.shown.rfc : entry.key;

    return el('li', { 'data-key': entry.key }, el('a', { href: addressOf(entry) },
        el('span', { class: `code ${statusClass(entry.status)}` }, code),
        el('span', { class: 'name' }, entry.kind === 'reason' ? entry.key : entry.name)));
}

function groupName(group) {
    return /^\d/.test(group) ? t(`class${group[0]}`) : t(`group_${group}`);
}

/* Grouped when all is shown; by rank when something was searched for. */
function list(entries, text) {
    if (!entries.length)
        return [el('p', { class: 'quiet' }, t('nothingFound', { what: text }))];
    if (text.trim())
        return [el('ul', null, entries.map(item))];
    return GROUPS.map(group => [group, entries.filter(entry => entry.group === group)]).filter(([, found]) => found.length)
        .map(([group, found]) => el('section', null, el('h3', null, groupName(group), ' ', el('span', { class: 'quiet' }, String(found.length))), el('ul', null, found.map(item))));
}

function unknown(key, entries) {
    const others = near(entries, key);

    return el('div', { class: 'state' }, el('h2', null, t('unknownKey', { what: key })), others.length > 0 && el('p', null, t('unknownKeyHelp')),
        others.length > 0 && el('ul', { class: 'near' }, others.map(item)));
}

function welcome() {
    return el('div', { class: 'state' }, el('h2', null, t('reference')), el('p', null, t('referenceHelp')),
        el('ul', { class: 'examples' }, ['404', '404.13', 'nginx:499', 'cloudflare:521', 'if-match-failed'].map(key =>
            el('li', null, el('a', { href: codeAddress(key) }, el('code', null, key))))));
}

export function mountReference(place) {
    const box = el('input', { class: 'filter', type: 'search', placeholder: t('searchPlaceholder'), 'aria-label': t('search'), autocomplete: 'off', spellcheck: 'false' });
    const found = el('div', { class: 'found' }), pane = el('section', { class: 'pane', tabindex: -1, 'aria-label': t('entry') });
    const root = el('div', { class: 'reference' }, el('section', { class: 'index', 'aria-label': t('reference') }, el('div', { class: 'bar' }, box), found), pane);
    let entries = null, graph = null, key = null, gone = false;

    function drawList() {
        found.replaceChildren(...list(search(entries, box.value), box.value));
        mark();
    }

    function mark() {
        for (const line of found.querySelectorAll('li')) {
            if (line.dataset.key === key)
                line.firstChild.setAttribute('aria-current', 'page');
            else
                line.firstChild.removeAttribute('aria-current');
        }
    }

    function drawEntry() {
        root.classList.toggle('with-entry', key !== null);
        if (!entries)
            return;
        const meant = key === null ? [] : resolve(entries, key), back = el('a', { class: 'back', href: '#reference' }, `← ${t('reference')}`);

        pane.replaceChildren(back, key === null ? welcome() : meant.length ? entryArticle(meant, entries, graph) : unknown(key, entries));
        pane.scrollTop = 0;
        key = meant[0]?.key ?? key;
        mark();
        found.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' });
    }

    function keydown(event) {
        if (event.key === '/' && !typing(event) && !modified(event)) {
            event.preventDefault();
            box.select();
        }
        if (event.key === 'Enter' && event.target === box)
            found.querySelector('a')?.click();
        if (event.key === 'Escape' && event.target === box) {
            box.value = '';
            drawList();
        }
        step(event);
    }

    /* Arrow keys go from the box into the list and along it. */
    function step(event) {
        const by = { ArrowDown: 1, ArrowUp: -1 }[event.key], links = [...found.querySelectorAll('a')], at = links.indexOf(document.activeElement);

        if (!by || at < 0 && event.target !== box)
            return;
        event.preventDefault();
        (links[at + by] ?? (by < 0 ? box : links.at(-1)))?.focus();
    }

    box.addEventListener('input', () => entries && drawList());
    document.addEventListener('keydown', keydown);
    found.append(el('p', { class: 'quiet' }, t('loading')));
    place.replaceChildren(root);
    Promise.all([registry(), askOnce('/api/graph').catch(() => null)]).then(answers => {
        if (gone)
            return;
        [entries, graph] = answers;
        drawList();
        drawEntry();
    }).catch(error => !gone && found.replaceChildren(errorState(error)));
    return {
        update(route) {
            key = route.key;
            drawEntry();
        },
        release() {
            gone = true;
            document.removeEventListener('keydown', keydown);
        },
    };
}
