#!/usr/bin/perl
# Peer: Perl Net::SMPP 1.19.
#   net-smpp.pl server   |   net-smpp.pl outbind PORT SYSTEM_ID PASSWORD
#   net-smpp.pl client PORT SYSTEM_ID PASSWORD KIND VERSION
# One JSON object a line: events out, commands in.
use strict;
use warnings;
use IO::Select;
use JSON::PP;
use Net::SMPP;
use POSIX qw(strftime);

$| = 1;
$SIG{PIPE} = 'IGNORE';

my $json = JSON::PP->new->canonical->latin1;
my $names = Net::SMPP::pdu_tab;
my $in    = IO::Select->new(\*STDIN);
my ($customer, $listener, $session, $receiver);    # session: whose PDU came last; receiver: takes deliveries
my @submits;
my %waits;    # seq -> event that its answer is told as

sub tell_event { my ($event, %more) = @_; print $json->encode({ event => $event, %more }), "\n"; }

sub shown {
	my ($pdu) = @_;
	return (
		from                => $pdu->{source_addr},
		to                  => $pdu->{destination_addr},
		text                => length($pdu->{short_message} // '') ? $pdu->{short_message} : $pdu->{message_payload},
		esm_class           => $pdu->{esm_class} + 0,
		data_coding         => $pdu->{data_coding} + 0,
		registered_delivery => $pdu->{registered_delivery} + 0,
		receipted           => $pdu->{receipted_message_id},
	);
}

sub send_deliver {
	my ($event, %fields) = @_;
	my $seq = $receiver->deliver_sm(async => 1, source_addr_ton => 1, dest_addr_ton => 1, %fields);
	$waits{$seq} = $event;
}

sub receipt {
	my ($command) = @_;
	my $about = $submits[$command->{n} // 0];
	my $stamp = strftime('%y%m%d%H%M', localtime);
	my $stat  = $command->{stat} // 'DELIVRD';
	send_deliver(
		'receipt',
		esm_class        => 4,
		source_addr      => $about->{to},
		destination_addr => $about->{from},
		short_message    => "id:$about->{id} sub:001 dlvrd:001 submit date:$stamp done date:$stamp stat:$stat err:000 text:",
	);
}

my %acts = (
	receipt => \&receipt,
	mo => sub {
		my ($c) = @_;
		send_deliver('mo', source_addr => $c->{from}, destination_addr => $c->{to}, short_message => $c->{text});
	},
	submit => sub {
		my ($c) = @_;
		my $seq = $session->submit_sm(
			async               => 1,
			source_addr_ton     => 1,
			dest_addr_ton       => 1,
			source_addr         => $c->{from},
			destination_addr    => $c->{to},
			short_message       => $c->{text},
			registered_delivery => $c->{dlr} ? 1 : 0,
		);
		$waits{$seq} = 'submitted';
	},
	alert => sub {
		my ($c) = @_;
		$receiver->alert_notification(
			async           => 1,
			source_addr_ton => 1,
			source_addr_npi => 1,
			source_addr     => $c->{from},
			esme_addr_ton   => 1,
			esme_addr_npi   => 1,
			esme_addr       => $c->{to},
		);
		tell_event('alerted');
	},
	enquire => sub { $waits{ $session->enquire_link(async => 1) } = 'enquired' },
	unbind  => sub { $waits{ $session->unbind(async => 1) }       = 'unbound' },
);

sub on_bind {
	my ($name, $pdu) = @_;
	my $answer = "${name}_resp";
	$receiver = $session if $name ne 'bind_transmitter';
	$session->$answer(seq => $pdu->{seq}, system_id => 'net-smpp');
	tell_event('bind', command => $name, map { $_ => $pdu->{$_} } qw(system_id password interface_version));
}

sub on_submit {
	my ($name, $pdu) = @_;
	my $answer = "${name}_resp";
	my $id = sprintf '%010d', 77000 + @submits;
	push @submits, { id => $id, from => $pdu->{source_addr}, to => $pdu->{destination_addr} };
	$session->$answer(seq => $pdu->{seq}, message_id => $id);
	tell_event('submit', shown($pdu), id => $id, command => $name);
}

sub on_delivery {
	my ($name, $pdu) = @_;
	my $answer = "${name}_resp";
	$session->$answer(seq => $pdu->{seq}, message_id => '');
	tell_event('deliver', command => $name, shown($pdu));
}

sub on_answer {
	my ($name, $pdu) = @_;
	my $event = delete $waits{ $pdu->{seq} } // return tell_event('stray', command => $name);
	tell_event($event, status => $pdu->{status}, id => $pdu->{message_id}, command => $name);
	finish() if $event eq 'unbound';
}

sub on_pdu {
	my ($pdu) = @_;
	my $name = $names->{ $pdu->{cmd} }{cmd} // sprintf '0x%08x', $pdu->{cmd};
	if    ($name =~ /_resp$|_nack$/)   { on_answer($name, $pdu) }
	elsif ($name =~ /^bind_/)          { on_bind($name, $pdu) }
	elsif ($name =~ /^(submit|data|deliver)_sm$/) { $customer ? on_delivery($name, $pdu) : on_submit($name, $pdu) }
	elsif ($name eq 'enquire_link')    { $session->enquire_link_resp(seq => $pdu->{seq}) }
	elsif ($name eq 'unbind') {
		$session->unbind_resp(seq => $pdu->{seq});
		tell_event('unbind');
		finish();
	}
	else { tell_event('odd', command => $name) }
}

sub finish {
	$in->remove($session);
	close $session;
	undef $session;
	tell_event('closed');
}

sub serve {
	$listener = Net::SMPP->new_listen('127.0.0.1', port => 0, smpp_version => 0x34, interface_version => 0x34)
	  or die "no listener: $!";
	$in->add($listener);
	tell_event('listening', port => $listener->sockport);
}

sub connect_to {
	my ($port, $system_id, $password, $kind, $version) = @_;
	$customer = 1;
	$session  = Net::SMPP->new_connect(
		'127.0.0.1',
		port              => $port,
		system_id         => $system_id,
		password          => $password,
		smpp_version      => 0x34,
		interface_version => $version,
	) or die "no connection: $!";
	my $bind = "bind_$kind";
	my $answer = $session->$bind();
	return tell_event('bound', status => 'closed') unless $answer;
	tell_event('bound', status => $answer->{status}, system_id => $answer->{system_id}, version => $answer->{sc_interface_version});
	$in->add($session);
}

sub outbind_to {
	my ($port, $system_id, $password) = @_;
	$session = Net::SMPP->new_connect('127.0.0.1', port => $port, smpp_version => 0x34) or die "no connection: $!";
	$session->outbind(system_id => $system_id, password => $password);
	$in->add($session);
}

sub hear {
	my ($from) = @_;
	if ($from == \*STDIN) {
		my $n = sysread STDIN, my $octets, 65536;
		exit 0 unless $n;
		for my $line (split /\n/, $octets) {
			my $command = $json->decode($line);
			$acts{ $command->{do} }->($command);
		}
	}
	elsif ($listener && $from == $listener) {
		$session = $listener->accept or return;
		$in->add($session);
	}
	else {
		$session = $from;
		my $pdu = $from->read_pdu;
		$pdu ? on_pdu($pdu) : finish();
	}
}

my ($role, @more) = @ARGV;
$role eq 'server' ? serve() : $role eq 'outbind' ? outbind_to(@more) : connect_to(@more);
while (1) { hear($_) for $in->can_read }
