import '@fontsource-variable/atkinson-hyperlegible-next';
import { mount } from 'svelte';
import '../theme/base.css';
import { language } from '../language.svelte';
import '../state/theme.svelte';
import Back from './Back.svelte';
import { arrival } from './arrival';

// What the provider put into the address is taken out of it before anything else happens.
const arrived = arrival(new URL(location.href));
history.replaceState(null, '', location.pathname);

language.begin();
const target = document.getElementById('app');
if (target) mount(Back, { target, props: { arrived } });
