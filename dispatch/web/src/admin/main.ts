import '@fontsource-variable/atkinson-hyperlegible-next';
import { mount } from 'svelte';
import '../theme/base.css';
import '../theme/forms.css';
import './admin.css';
import Admin from './Admin.svelte';

const target = document.getElementById('app');
if (target) mount(Admin, { target });
