import '@fontsource-variable/atkinson-hyperlegible-next';
import { mount } from 'svelte';
import { language } from '../language.svelte';
import 'maplibre-gl/dist/maplibre-gl.css';
import '../theme/base.css';
import '../theme/forms.css';
import '../theme/looks.css';
import '../map/map.css';
import './warnings.css';
import Warnings from './Warnings.svelte';

language.begin();
const target = document.getElementById('app');
if (target) mount(Warnings, { target });
