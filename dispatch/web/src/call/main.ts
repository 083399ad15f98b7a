import '@fontsource-variable/atkinson-hyperlegible-next';
import { mount } from 'svelte';
import '../theme/base.css';
import '../theme/forms.css';
import '../state/theme.svelte';
import { language } from '../language.svelte';
import CallPage from './CallPage.svelte';

language.begin();
const target = document.getElementById('app');
if (target) mount(CallPage, { target });
