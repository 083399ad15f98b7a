import '@fontsource-variable/atkinson-hyperlegible-next';
import { mount } from 'svelte';
import '../theme/base.css';
import '../theme/looks.css';
import './field.css';
import Field from './Field.svelte';

const target = document.getElementById('app');
if (target) mount(Field, { target });
