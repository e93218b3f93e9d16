/* The language of the page, and its words: t('key', {n: 3}). */

import { keepSetting, setting } from './settings.js';
import { texts } from './text.js';

export const languages = [['en', 'English'], ['zh-CN', '简体中文'], ['zh-TW', '繁體中文']];

const codes = languages.map(([code]) => code);

function known(tag) {
    if (codes.includes(tag))
        return tag;
    if (/^zh\b.*\b(hant|tw|hk|mo)\b/i.test(tag))
        return 'zh-TW';
    if (/^zh\b/i.test(tag))
        return 'zh-CN';
    return /^en\b/i.test(tag) ? 'en' : null;
}

function preferred() {
    const kept = setting('language');

    if (codes.includes(kept))
        return kept;
    for (const tag of navigator.languages ?? [navigator.language])
        if (known(tag))
            return known(tag);
    return 'en';
}

let current = preferred();

export function language() {
    return current;
}

export function chooseLanguage(code) {
    current = code;
    keepSetting('language', code);
    document.documentElement.lang = code;
}

/* English has two forms where a number decides: "one|several". */
function formFor(text, values) {
    const forms = text.split('|');

    return forms.length === 2 ? forms[values?.n === 1 ? 0 : 1] : text;
}

export function t(key, values) {
    const row = texts[key];

    if (!row)
        throw new Error(`no text: ${key}`);
    return formFor(row[codes.indexOf(current)], values).replace(/\{(\w+)\}/g, (whole, name) => {
        const value = values?.[name];

        return typeof value === 'number' ? new Intl.NumberFormat(current).format(value) : String(value ?? whole);
    });
}
