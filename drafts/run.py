#!/usr/bin/env python3
# run.py snapshot KERNEL DIR        boots to READY and keeps that state in DIR/state
# run.py run DIR N OUT [LIMIT]      goes on from there with mutation N
import os, socket, subprocess, sys, time
base = ['qemu-system-x86_64', '-accel', 'tcg', '-cpu', 'max', '-m', '2G', '-smp', '2', '-display', 'none',
        '-no-reboot', '-nodefaults']
def cmd(kernel, d, console, sock):
    append = ('console=ttyS0 panic=-1 kunit.autorun=0 numa_balancing=disable damon_stat.enabled=N '
              'hugetlb_cma=0 ' + os.environ.get('APPEND', ''))
    return base + ['-serial', 'file:' + console, '-serial', 'unix:' + sock + '.tty,server=on,wait=off',
                   '-monitor', 'unix:' + sock + ',server=on,wait=off', '-kernel', kernel,
                   '-initrd', d + '/initramfs.gz', '-append', append]
def hmp(sock, line, wait):
    s = socket.socket(socket.AF_UNIX); s.connect(sock); s.settimeout(wait)
    buf = b''
    while not buf.endswith(b'(qemu) '): buf += s.recv(65536)
    s.sendall(line.encode() + b'\n'); buf = b''
    while not buf.endswith(b'(qemu) '):
        x = s.recv(65536)
        if not x: break
        buf += x
    s.close(); return buf.decode(errors='replace')
def text(f):
    try: return open(f, errors='replace').read()
    except FileNotFoundError: return ''
if sys.argv[1] == 'snapshot':
    kernel, d = sys.argv[2:4]
    os.makedirs(d, exist_ok=True)
    subprocess.check_call(['cp', kernel, d + '/bzImage'])
    usr = os.path.dirname(os.path.realpath(kernel)) + '/../../../usr/gen_init_cpio'
    spec = ('dir /dev 755 0 0\nnod /dev/console 600 0 0 c 5 1\nfile /init /tmp/h/kunit/init 755 0 0\n')
    open(d + '/spec', 'w').write(spec)
    subprocess.check_call(f'{usr} {d}/spec | gzip -1 >{d}/initramfs.gz', shell=True)
    con, sock = d + '/boot.log', d + '/mon'
    for f in (con, sock, sock + '.tty', d + '/state'):
        if os.path.exists(f): os.unlink(f)
    p = subprocess.Popen(cmd(d + '/bzImage', d, con, sock)); t = time.time()
    while 'READY' not in text(con):
        time.sleep(1)
        if p.poll() is not None or time.time() - t > 400: p.kill(); sys.exit('no READY:\n' + text(con)[-3000:])
    time.sleep(1)
    print('READY after %d s' % (time.time() - t)); hmp(sock, 'stop', 20)
    hmp(sock, 'migrate_set_parameter max-bandwidth 4G', 20)
    print(hmp(sock, f'migrate "exec:cat >{d}/state"', 300)); print(hmp(sock, 'info migrate', 20)[:300])
    p.kill(); p.wait()
    print('state: %d MB' % (os.path.getsize(d + '/state') >> 20))
else:
    d, n, out = sys.argv[2:5]; limit = int(sys.argv[5]) if len(sys.argv) > 5 else 150
    sock = out + '.mon'
    for f in (out, sock, sock + '.tty'):
        if os.path.exists(f): os.unlink(f)
    p = subprocess.Popen(cmd(d + '/bzImage', d, out, sock) + ['-incoming', f'exec:cat {d}/state'],
                         stderr=subprocess.DEVNULL); t = time.time()
    while not os.path.exists(sock + '.tty'): time.sleep(.1)
    s = socket.socket(socket.AF_UNIX); s.connect(sock + '.tty')
    for i in range(600):
        if 'running' in hmp(sock, 'info status', 60) and 'inmigrate' not in hmp(sock, 'info status', 60): break
        hmp(sock, 'cont', 60); time.sleep(.2)
    s.sendall(n.encode() + b'\n')
    size, life, why = 0, time.time(), ''
    while p.poll() is None:
        time.sleep(.3)
        now = len(text(out))
        if now != size: size, life = now, time.time()
        if '# end of tests' in text(out): break
        if time.time() - life > 60 or time.time() - t > limit: why = 'HANG'; break
    p.kill(); p.wait()
    for f in (sock, sock + '.tty'):
        if os.path.exists(f): os.unlink(f)
    if not why and '# end of tests' not in text(out): why = 'PANIC'
    print(n, '%d s' % (time.time() - t), why)
