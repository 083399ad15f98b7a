import '@fontsource-variable/atkinson-hyperlegible-next';
import { mount } from 'svelte';
import { language } from '../language.svelte';
import '../theme/base.css';
import '../theme/forms.css';
import './admin.css';
import Admin from './Admin.svelte';
import { speakOfAdministration } from './words';

language.begin(speakOfAdministration);
const target = document.getElementById('app');
if (target) mount(Admin, { target });
