/* A button that copies a text. Where the page may not write to the clipboard, it marks the text to be copied by hand. */

import { el } from './dom.js';
import { t } from './language.js';

const TOLD_MS = 1500;

export function copyButton(text, label, hint) {
    const name = el('code', null, label), told = el('span', { class: 'told', 'aria-live': 'polite' });
    const button = el('button', { type: 'button', class: 'copy', title: hint, 'aria-label': `${hint}: ${label}` }, name, told);

    button.addEventListener('click', async () => {
        try {
            await navigator.clipboard.writeText(text);
            told.textContent = t('copied');
            setTimeout(() => { told.textContent = ''; }, TOLD_MS);
        } catch {
            getSelection().selectAllChildren(name);
        }
    });
    return button;
}
