// Plain old JavaScript without imports: it must still run, and explain itself, on a Node that is too old.
var major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  var target = { linux: 'linux', win32: 'win' }[process.platform];
  var hint = target
    ? 'npx -y -p node-' + target + '-' + process.arch + '@24 -p moorage moorage'
    : 'npx -y -p node@24 -p moorage moorage';
  process.stderr.write(
    'moorage needs Node 24 or newer; this is Node ' +
      process.versions.node +
      '. With this command it runs all the same:\n  ' +
      hint +
      '\n',
  );
  process.exit(78);
}
import('../src/main.ts');
