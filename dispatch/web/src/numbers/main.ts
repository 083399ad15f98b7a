import '@fontsource-variable/atkinson-hyperlegible-next';
import { mount } from 'svelte';
import 'maplibre-gl/dist/maplibre-gl.css';
import '../theme/base.css';
import '../theme/forms.css';
import '../map/map.css';
import './numbers.css';
import Numbers from './Numbers.svelte';

const target = document.getElementById('app');
if (target) mount(Numbers, { target });
