# Rows: what is data is complete, and used.
use strict;
use warnings FATAL => 'all';
our ($root, @files);

# [line, fields...] of every MACRO(...) row of a file; quotes are taken off.
sub rows {
	my ($path, $macro) = @_;
	return () unless grep { $_ eq $path } @files;
	my $text = text($path);
	$text =~ s{(/\*.*?\*/)}{$1 =~ s/[^\n]/ /gr}gse;
	my @rows;
	while ($text =~ /^\Q$macro\E\(((?:[^()"]|"(?:[^"\\]|\\.)*")*)\)/gm) {
		my ($at, $inside, @fields) = ($-[0], $1);
		while ($inside =~ /\G\s*("(?:[^"\\]|\\.)*"|[^,"]+?)\s*(?:,|\z)/gc) {
			(my $field = $1) =~ s/^"(.*)"$/$1/s;
			$field =~ s/\\(.)/$1/g;
			push @fields, $field;
		}
		push @rows, [line_of($text, $at), @fields];
	}
	return @rows;
}

# All of src and the migrations, for "is this used".
my %joined;
sub joined {
	my ($pattern) = @_;
	return $joined{$pattern} //= join "\n", map { text($_) } files($pattern);
}
sub c_and_sql { return joined(qr{^(?:src/.*\.(?:c|h|sql)|migrations/.*\.sql|proto/vendor_code\.def)$}) }

# A literal 'word' or "word", bare or with escaped quotes.
sub literal { my ($word) = @_; return c_and_sql() =~ /['"]\Q$word\E\\?['"]/ }

check 'goldens', 'every PDU row has a golden page of its name, every TLV row stands on one', sub {
	my @faults;
	my $pages = joined(qr{^tests/golden/smpp/.*\.md$});
	my %page = map { m{([^/]+)\.md$} ? ($1 => 1) : () } files(qr{^tests/golden/smpp/});
	for (rows('proto/smpp_pdu.def', 'SMPP_PDU')) {
		my ($line, $name) = @$_;
		push @faults, "proto/smpp_pdu.def:$line: no tests/golden/smpp/$name.md" unless $page{$name};
		push @faults, "proto/smpp_pdu.def:$line: no page shows a $name"
			unless $pages =~ /^ +4  [0-9a-f]{8} +command_id +\Q$name\E$/m;
	}
	for (rows('proto/smpp_tlv.def', 'SMPP_TLV')) {
		my ($line, $name) = @$_;
		push @faults, "proto/smpp_tlv.def:$line: no golden page shows $name" unless $pages =~ /^ +\d+  [0-9a-f]{4} [0-9a-f]{4}[ 0-9a-f]* \Q$name\E /m;
	}
	my $pdus = () = rows('proto/smpp_pdu.def', 'SMPP_PDU');
	my $tlvs = () = rows('proto/smpp_tlv.def', 'SMPP_TLV');
	note("$pdus PDUs, $tlvs TLVs");
	push @faults, 'proto/smpp_pdu.def:1: no rows were found' unless $pdus && $tlvs;
	return @faults;
};

sub program {
	return $ENV{SMSBRIDGE} if $ENV{SMSBRIDGE};
	my @built = sort { -M $a <=> -M $b } grep { -x $_ } glob "$root/build/*/smsbridge";
	return $built[0];
}

check 'example', 'config.yaml.example is what `smsbridge check --example` prints', sub {
	my $program = program() // return 'config.yaml.example:1: no program to ask: build one or set SMSBRIDGE';
	open(my $out, '-|', $program, 'check', '--example') or return "config.yaml.example:1: $program: $!";
	my @printed = <$out>;
	close($out) or return "config.yaml.example:1: `smsbridge check --example` fails";
	my @kept = split /^/, text('config.yaml.example');
	for my $i (0 .. ($#printed > $#kept ? $#printed : $#kept)) {
		next if ($printed[$i] // '') eq ($kept[$i] // '');
		chomp(my $line = $printed[$i] // 'nothing');
		return 'config.yaml.example:' . ($i + 1) . ": the program prints: $line";
	}
	return ();
};

# --- SQL ------------------------------------------------------------------------------------------------------------

check 'statements', 'every statement says what its parameters are, and is used', sub {
	my @faults;
	my $c = joined(qr{^src/.*\.c$});
	for my $path (files(qr{^src/store/sql/.*\.sql$})) {
		my ($name) = $path =~ m{([^/]+)\.sql$};
		my ($head, $body) = text($path) =~ /\A((?:--[^\n]*\n)*)(.*)\z/s;
		push @faults, "$path:1: does not begin with a comment" unless $head;
		my %used = map { $_ => 1 } $body =~ /\$(\d+)\b/g;
		push @faults, "$path:1: the comment does not say what \$$_ is"
			for grep { $head !~ /\$$_\b/ } sort { $a <=> $b } keys %used;
		my %named = map { $_ => 1 } $head =~ /\$(\d+)\b/g;
		push @faults, "$path:1: there is no \$$_" for grep { !$used{$_} } sort { $a <=> $b } keys %named;
		push @faults, "$path:1: nothing uses it" unless $c =~ /"\Q$name\E"/;
		push @faults, "$path:1: more than one statement" if $body =~ /;\s*\S/;
	}
	return @faults;
};

# Rules get their time as a parameter. What is about processes and posts, not about patients, reads the real clock.
my $real_time = qr{^src/store/sql/(?:(?:webhook|node)_[a-z]+|inbound_(?:once|purge))\.sql$};
check 'clocks', 'no rule in SQL reads a clock', sub {
	my @faults;
	for my $path (files(qr{^src/store/sql/.*\.sql$})) {
		each_line($path, sub {
			my ($n, $line) = @_;
			$line =~ s/--.*//;
			push @faults, "$path:$n: $1 starts with the transaction; take the time as a parameter"
				if $line =~ /\b(now\(\)|current_timestamp|localtimestamp|current_date|statement_timestamp\(\))/i;
			push @faults, "$path:$n: $1 in a rule; take the time as a parameter"
				if $path !~ $real_time && $line =~ /\b(clock_timestamp\(\))/i;
		});
	}
	return @faults;
};

# --- rows that are used, and words that are rows --------------------------------------------------------------------

check 'events', 'every event in C and SQL is a row of event.def, and every row happens', sub {
	my @faults;
	my @rows = rows('proto/event.def', 'EVENT');
	my %row = map { $_->[2] => 1 } @rows;
	my $subjects = join '|', sort keys %{{map { (split /\./, $_->[2])[0] => 1 } @rows}};
	for my $path (files(qr{^(?:src/.*\.(?:c|h|sql)|migrations/.*\.sql)$})) {
		my $text = text($path);
		while ($text =~ /['"]((?:$subjects)\.(?!pem\b|key\b|json\b)[a-z_]+)\\?['"]/g) {
			push @faults, "$path:" . line_of($text, $-[1]) . ": $1 is no row of proto/event.def" unless $row{$1};
		}
	}
	for (@rows) {
		my ($line, $name, $code) = @$_;
		push @faults, "proto/event.def:$line: $code never happens"
			unless joined(qr{^src/.*\.(?:c|sql)$|^migrations/.*\.sql$}) =~ /['"]\Q$code\E\\?['"]|\bEVENT_\Q$name\E\b/;
	}
	push @faults, 'proto/event.def:1: no rows were found' unless @rows;
	return @faults;
};

# file, macro, field of the word, what uses it (%s is the word), whether a quoted literal does too
my @tables = (
	['reasons', 'proto/reason.def', 'REASON', 1, 'REASON_%s', 1],
	['metrics', 'src/base/base_metric.def', 'METRIC', 1, 'METRIC_%s', 0],
	['statuses', 'proto/status.def', 'STATUS', 1, 'STATUS_%s', 1],
	['endings', 'proto/smpp_reason.def', 'SMPP_REASON', 1, 'SMPP_REASON_%s', 1],
);
for (@tables) {
	my ($name, $path, $macro, $field, $use, $quoted) = @$_;
	check $name, "every row of $path is used", sub {
		my @faults;
		my @rows = rows($path, $macro);
		for (@rows) {
			my ($line, $word) = ($_->[0], $_->[$field]);
			(my $pattern = $use) =~ s/%s/\Q$word\E/g;
			next if c_and_sql() =~ /\b$pattern\b/ || ($quoted && literal($word));
			push @faults, "$path:$line: nothing uses $word";
		}
		push @faults, "$path:1: no rows were found" unless @rows;
		return @faults;
	};
}

check 'limits', 'every ceiling of base_limits.h is used and says why', sub {
	my @faults;
	my $c = joined(qr{^src/.*\.(?:c|def)$}) . join '', map { text($_) } grep { !/base_limits/ } files(qr{^src/.*\.h$});
	my $limits = 'src/base/base_limits.h';
	return () unless grep { $_ eq $limits } @files;
	each_line($limits, sub {
		my ($n, $line) = @_;
		my ($name) = $line =~ /^#define (LIMIT_\w+) \S/ or return;
		push @faults, "$limits:$n: nothing uses $name" unless $c =~ /\b$name\b/;
		push @faults, "$limits:$n: $name does not say why" unless $line =~ m{/\*};
	});
	return @faults;
};
1;
