/* The frame around the drawing: buttons, a small map of where one is, and a card beside the node that is looked at. */

import { el, svg } from './dom.js';
import { t } from './language.js';
import { PanZoom, ZOOM_STEP } from './pan_zoom.js';
import { boxOf, takePicture } from './picture.js';

/* Pixels at the right edge for the buttons and the map, which is smaller in a narrow frame (picture.css). */
const CARD_GAP = 10, ROOM = 96, NARROW_ROOM = 46, NARROW = 480;

function button(label, sign, act) {
    return el('button', { type: 'button', title: label, 'aria-label': label, onclick: act }, sign);
}

function corners() {
    return svg('svg', { class: 'sign', viewBox: '0 0 16 16', 'aria-hidden': 'true' }, svg('path', { d: 'M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4' }));
}

/* Of the drawing only the blocks, and the way through them. */
function makeMap(picture, panZoom) {
    const { box, graph, find } = picture;
    const sight = svg('rect', { class: 'sight' }), way = svg('polyline', { class: 'way' });
    const blocks = graph.blocks.map(block => find(`b-${block.name}`)).filter(Boolean).map(block => {
        const b = boxOf(block);

        return svg('rect', { class: 'block', x: b.x, y: b.y, width: b.width, height: b.height, rx: 30 });
    });
    const map = svg('svg', { class: 'map', viewBox: `${box.x} ${box.y} ${box.width} ${box.height}`, 'aria-hidden': 'true' },
        blocks, way, sight);
    const go = event => {
        const at = map.getBoundingClientRect();

        panZoom.centre(box.x + (event.clientX - at.left) / at.width * box.width, box.y + (event.clientY - at.top) / at.height * box.height);
    };

    map.addEventListener('pointerdown', event => {
        map.setPointerCapture(event.pointerId);
        go(event);
    });
    map.addEventListener('pointermove', event => event.buttons && go(event));
    return {
        element: map,
        trace: points => way.setAttribute('points', points.map(p => `${p.x},${p.y}`).join(' ')),
        /* Of no use while all of the drawing can be seen. */
        show(seen) {
            for (const [name, value] of Object.entries(seen))
                sight.setAttribute(name, value);
            map.classList.toggle('idle', seen.height >= box.height && seen.width >= box.width);
        },
    };
}

/* label: for those who do not see the drawing. home: (picture) => the box that is shown for key 0. */
export async function makeFrame(label, home) {
    const picture = await takePicture();
    const card = el('div', { class: 'card', hidden: true });
    const element = el('div', { class: 'frame', tabindex: 0, role: 'group', 'aria-label': label, title: '' }, picture.svg, card);
    let map = null, about = null;

    const placeCard = () => {
        if (!about || card.hidden)
            return;
        const at = element.getBoundingClientRect(), node = about.getBoundingClientRect();
        const right = node.right - at.left + CARD_GAP, left = node.left - at.left - CARD_GAP - card.offsetWidth;
        const x = right + card.offsetWidth < at.width ? right : left > 0 ? left : (at.width - card.offsetWidth) / 2;
        const beside = x === right || x === left;
        const middle = node.top - at.top + node.height / 2 - card.offsetHeight / 2;
        const y = beside ? middle : node.bottom - at.top + CARD_GAP;

        card.style.transform = `translate(${Math.round(Math.max(4, x))}px, ${Math.round(Math.max(4, Math.min(at.height - card.offsetHeight - 4, y)))}px)`;
    };
    const panZoom = new PanZoom(element, picture.svg, picture.box, {
        home: () => home(picture),
        inset: () => (element.clientWidth > NARROW ? ROOM : NARROW_ROOM),
        onchange: seen => {
            map?.show(seen);
            placeCard();
        },
    });

    element.append(el('div', { class: 'tools' },
        button(t('zoomIn'), '+', () => panZoom.zoom(ZOOM_STEP)),
        button(t('zoomOut'), '−', () => panZoom.zoom(1 / ZOOM_STEP)),
        button(t('fit'), corners(), () => panZoom.fit(home(picture)))));
    return {
        element, picture, panZoom,
        /* To be called once the frame is in the document: only then have its parts a size. */
        settle() {
            map = makeMap(picture, panZoom);
            element.append(map.element);
        },
        trace: points => map.trace(points),
        showCard(node, content) {
            about = node;
            card.replaceChildren(...content);
            card.hidden = false;
            placeCard();
        },
        hideCard() {
            about = null;
            card.hidden = true;
        },
        release: () => panZoom.release(),
    };
}
