/* The path as a list to be read. Long runs of steps at which nothing happened are folded. */

import { el } from './dom.js';
import { t } from './language.js';
import { specLink, stepBody } from './step.js';

const SHORTEST_FOLD = 3, LAST = 4;

/* Questions that lead on either way: a "yes" there means that something was asked for, given or found. */
function forksOf(graph) {
    const ways = new Map();

    for (const edge of graph?.edges ?? [])
        if (edge.to && (edge.on === 'yes' || edge.on === 'no'))
            ways.set(edge.from, (ways.get(edge.from) ?? 0) + 1);
    return new Set([...ways].filter(([, n]) => n === 2).map(([name]) => name));
}

/* [[first, behind the last]...] of runs that are folded: checks passed, work done, things that were not asked for. */
function folds(path, graph) {
    const found = [], forks = forksOf(graph);
    const eventful = (step, i) => step.answer === 'stopped' || step.answer === 'waits' || i >= path.length - LAST
        || step.answer === 'yes' && forks.has(step.node);
    let first = 0;

    path.forEach((step, i) => {
        if (!eventful(step, i))
            return;
        if (i - first >= SHORTEST_FOLD)
            found.push([first, i]);
        first = i + 1;
    });
    return found;
}

function foldLine(path, first, end, items) {
    const blocks = [...new Set(path.slice(first, end).map(step => step.block))].join(', ');
    const open = () => {
        line.remove();
        items.slice(first, end).forEach(item => { item.hidden = false; });
    };
    const click = () => {
        open();
        items[first].focus();
    };
    const line = el('li', { class: 'fold' }, el('button', { type: 'button', class: 'plain', onclick: click },
        t('passed', { n: end - first }), el('span', { class: 'quiet' }, blocks)));

    return { line, first, end, open };
}

/* graph: of the API, or null. onlook(index or -1): a step is looked at. */
export function makeSteps(path, graph, onlook) {
    const items = path.map((step, i) => el('li', {
        class: `step ${step.kind} ${step.answer}`, tabindex: i === path.length - 1 ? 0 : -1,
        onpointerenter: () => onlook(i, false), onpointerleave: () => onlook(-1, false), onfocus: () => onlook(i, true), onclick: () => onlook(i, true),
    }, el('span', { class: 'step-name' }, step.node), stepBody(step), step.spec && specLink(step.spec)));
    const list = el('ol', { class: 'steps', 'aria-label': t('pathList') }, items);

    const folded = folds(path, graph).map(([first, end]) => foldLine(path, first, end, items));

    for (const { line, first, end } of folded) {
        items.slice(first, end).forEach(item => { item.hidden = true; });
        items[first].before(line);
    }
    list.addEventListener('keydown', event => {
        const by = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key], shown = items.filter(item => !item.hidden);
        const next = shown[shown.indexOf(event.target) + by];

        if (!by || !next || !shown.includes(event.target))
            return;
        event.preventDefault();
        event.stopPropagation();
        event.target.tabIndex = -1;
        next.tabIndex = 0;
        next.focus();
    });
    return {
        element: list,
        show(i) {
            folded.find(fold => i >= fold.first && i < fold.end)?.open();
            items[i].scrollIntoView({ block: 'nearest' });
        },
        look(looked) {
            items.forEach((item, i) => item.classList.toggle('looked', i === looked));
        },
    };
}
