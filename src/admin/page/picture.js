/*
 * The drawing of the decision graph, made fit for the page: known elements and attributes only, no links, no colours of
 * its own, and classes by which the style sheet and the views can tell the parts apart.
 *
 *   n-NAME node (ask or act) · e-NAME-yes|no|next|stop edge · r-NAME-... end · e-NAME-stop-REASON a row of a box of stops
 */

import { askOnce } from './api.js';
import { svg } from './dom.js';

const ELEMENTS = ['g', 'path', 'polygon', 'polyline', 'ellipse', 'text'];
const ATTRIBUTES = ['id', 'class', 'd', 'points', 'x', 'y', 'cx', 'cy', 'rx', 'ry', 'transform', 'text-anchor', 'font-size', 'font-weight'];

let drawing = null;

async function fetchDrawing() {
    const answer = await fetch('/graph.svg');

    if (!answer.ok)
        throw new Error(`graph.svg: ${answer.status}`);
    return new DOMParser().parseFromString(await answer.text(), 'image/svg+xml').documentElement;
}

/* Links become plain groups; what is invisible in the drawing stays so. */
function copy(from) {
    const name = from.localName === 'a' ? 'g' : from.localName;

    if (!ELEMENTS.includes(name))
        return null;
    const to = svg(name);

    for (const attribute of ATTRIBUTES)
        if (from.hasAttribute(attribute))
            to.setAttribute(attribute, from.getAttribute(attribute));
    if (from.getAttribute('fill') === 'none')
        to.classList.add('hollow');
    if (name === 'text')
        to.textContent = from.textContent;
    else
        to.append(...[...from.children].map(copy).filter(Boolean));
    return to;
}

function draw(from) {
    const box = (from.getAttribute('viewBox') ?? '0 0 1000 1000').split(/[\s,]+/).map(Number);
    const root = copy(from.querySelector('g.graph'));

    root.querySelector('#a_server')?.remove();
    /* Names of blocks come last, so that no edge runs over them. */
    for (const name of root.querySelectorAll('.cluster text')) {
        name.setAttribute('class', 'cluster-name');
        root.append(name);
    }
    return { box: { x: box[0], y: box[1], width: box[2], height: box[3] }, root };
}

/* The number of a row of stops stands before the row's own group. */
function classify(find, graph) {
    for (const node of graph.nodes)
        find(`n-${node.name}`)?.classList.add(node.kind);
    for (const edge of graph.edges) {
        if (!edge.end)
            continue;
        const name = `class-${Math.floor(edge.status / 100)}`;

        if (edge.on !== 'stop') {
            find(`r-${edge.from}-${edge.on}`)?.classList.add('end', name);
            continue;
        }
        find(`r-${edge.from}-stop`)?.classList.add('stops');
        const row = find(edge.id);

        row?.classList.add('stop', name);
        if (row?.previousElementSibling?.localName === 'text')
            row.previousElementSibling.classList.add('stop-status', name);
    }
}

/* One box in the drawing's own units, wherever in it the element is. */
export function boxOf(element) {
    const b = element.getBBox(), m = element.ownerSVGElement.querySelector('g.graph').transform.baseVal.consolidate()?.matrix;

    return { x: b.x + (m?.e ?? 0), y: b.y + (m?.f ?? 0), width: b.width, height: b.height };
}

export function unionOf(boxes) {
    const x = Math.min(...boxes.map(b => b.x)), y = Math.min(...boxes.map(b => b.y));

    return {
        x, y, width: Math.max(...boxes.map(b => b.x + b.width)) - x, height: Math.max(...boxes.map(b => b.y + b.height)) - y,
    };
}

/* {svg, box, graph, find(id)}: a drawing of its own for the caller, and the graph's data with its words. */
export async function takePicture() {
    drawing ??= fetchDrawing().catch(error => {
        drawing = null;
        throw error;
    });
    const [from, graph] = await Promise.all([drawing, askOnce('/api/graph')]);
    const { box, root } = draw(from), all = new Map();
    const element = svg('svg', { class: 'picture', 'aria-hidden': 'false' }, root);

    for (const part of root.querySelectorAll('[id]'))
        all.set(part.id, part);
    const find = id => all.get(id) ?? all.get(`a_${id}`) ?? null;

    classify(find, graph);
    return { svg: element, box, graph, find };
}
