# Opens a listening socket and runs a command with it as standard input, once for each line on its own standard input, as
# systemd does for Accept=no and StandardInput=socket: in between, clients wait in the socket's queue.
# usage: activate.pl ADDRESS|PATH COMMAND...
use strict;
use warnings;
use POSIX qw(dup2 _exit);
use Socket qw(:DEFAULT inet_pton pack_sockaddr_in6 unpack_sockaddr_in6);

$| = 1;
my ($where, @command) = @ARGV;
my ($family, $address) =
    $where =~ m{^/} ? (AF_UNIX, pack_sockaddr_un($where))
    : $where =~ /:/ ? (AF_INET6, pack_sockaddr_in6(0, inet_pton(AF_INET6, $where)))
    :                 (AF_INET, pack_sockaddr_in(0, inet_pton(AF_INET, $where)));
socket(my $socket, $family, SOCK_STREAM, 0) or die "socket: $!";
bind($socket, $address) or die "bind: $!";
listen($socket, 128) or die "listen: $!";
my $bound = getsockname($socket);
my $port =
    $family == AF_INET ? (unpack_sockaddr_in($bound))[0]
    : $family == AF_INET6 ? (unpack_sockaddr_in6($bound))[0]
    : 0;
print "port $port\n";

while (defined(my $line = <STDIN>)) {
    my $pid = fork();
    defined($pid) or die "fork: $!";
    if ($pid == 0) {
        dup2(fileno($socket), 0) // _exit(126);
        exec(@command) or _exit(127);
    }
    waitpid($pid, 0);
    printf "exit %d\n", $? >> 8;
}
