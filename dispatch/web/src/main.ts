import '@fontsource-variable/atkinson-hyperlegible-next';
import 'maplibre-gl/dist/maplibre-gl.css';
import './map/map.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { language } from './language.svelte';
import './theme/base.css';
import './theme/forms.css';
import './theme/looks.css';

language.begin();
const target = document.getElementById('app');
if (target) mount(App, { target });
