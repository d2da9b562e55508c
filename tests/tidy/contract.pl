# The contract: proto/openapi.yaml says what the rows and the code say.
use strict;
use warnings FATAL => 'all';
our ($root, @files);

my $contract = 'proto/openapi.yaml';

# [line number, line] of what stands under keys: under('components', 'schemas', 'X').
sub under {
	my (@keys) = @_;
	my @lines = split /\n/, text($contract);
	my ($from, $to) = (0, $#lines);
	for my $depth (0 .. $#keys) {
		my $blank = '  ' x $depth;
		my ($at) = grep { $lines[$_] =~ /^$blank['"]?\Q$keys[$depth]\E['"]?:/ } $from .. $to or return ();
		my $end = $at + 1;
		$end++ while $end <= $to && $lines[$end] !~ /^(?:  ){0,$depth}\S/;
		($from, $to) = ($at + 1, $end - 1);
	}
	return map { [$_ + 1, $lines[$_]] } $from .. $to;
}

# The names right under a key.
sub names {
	my ($depth, @lines) = @_;
	my $blank = '  ' x $depth;
	return map { $_->[1] =~ /^$blank['"]?([^\s'"][^'"]*?)['"]?:(?:\s|$)/ ? $1 : () } @lines;
}

# Of a schema with enum and x-enumDescriptions: [values], {value => sentence}, line.
sub enumeration {
	my ($schema) = @_;
	my @lines = under('components', 'schemas', $schema) or return ([], {}, 1);
	my (@values, %sentence, $part, $value);
	for (@lines) {
		my $l = $_->[1];
		if ($l =~ /^ {6}(\S+):/) { $part = $1 }
		elsif ($part eq 'enum' && $l =~ /^ {8}- (\S+)/) { push @values, $1 }
		elsif ($part eq 'x-enumDescriptions' && $l =~ /^ {8}([\w.:]+): (.*)/) {
			($value, $sentence{$1}) = ($1, $2);
			$sentence{$value} =~ s/^"(.*)"$/$1/;
			$sentence{$value} =~ s/\\(["\\])/$1/g;
			$sentence{$value} = '' if $sentence{$value} =~ /^>-?$/;
		} elsif ($part eq 'x-enumDescriptions' && $l =~ /^ {10}(\S.*)/) {
			$sentence{$value} .= ($sentence{$value} eq '' ? '' : ' ') . $1;
		}
	}
	return (\@values, \%sentence, $lines[0][0] - 1);
}

sub differences {
	my ($where, $have, $want, $what) = @_;
	my %have = map { $_ => 1 } @$have;
	my %want = map { $_ => 1 } @$want;
	return ((map { "$where: $what $_ is missing" } grep { !$have{$_} } @$want),
		(map { "$where: $what $_ is not there in truth" } grep { !$want{$_} } @$have));
}

# schema, rows file, macro, field of the word, field of the sentence, which rows
my @schemas = (
	['Status', 'proto/status.def', 'STATUS', 1, 4, sub { 1 }],
	['Category', 'proto/category.def', 'CATEGORY', 1, 5, sub { 1 }],
	['SendableCategory', 'proto/category.def', 'CATEGORY', 1, 5, sub { $_[0][2] =~ /\b(?:CATEGORY_API|ORDINARY)\b/ }],
	['Reason', 'proto/reason.def', 'REASON', 1, 4, sub { 1 }],
	['Scope', 'proto/scope.def', 'SCOPE', 2, 3, sub { 1 }],
	['Role', 'proto/role.def', 'ROLE', 1, 4, sub { 1 }],
	['TimelineType', 'proto/event.def', 'EVENT', 2, 4, sub { $_[0][2] =~ /^message\.|^emergency\.|^reminder\.|^opt_out\.in_flight$/ }],
);

check 'contract', 'openapi.yaml has the statuses, categories, reasons, events and routes that there are', sub {
	return () unless grep { $_ eq $contract } @files;
	my @faults;
	for (@schemas) {
		my ($schema, $path, $macro, $word, $sentence, $which) = @$_;
		my @rows = grep { $which->($_) } rows($path, $macro);
		my ($values, $told, $line) = enumeration($schema);
		my $where = "$contract:$line: $schema";
		push @faults, "$where: no rows in $path" unless @rows;
		push @faults, differences($where, $values, [map { $_->[$word] } @rows], 'value');
		push @faults, differences($where, [keys %$told], $values, 'sentence of');
		for (@rows) {
			my ($value, $truth) = ($_->[$word], $_->[$sentence]);
			push @faults, "$where: $value is told in other words than in $path:$_->[0]"
				if defined $told->{$value} && $told->{$value} ne $truth;
		}
	}
	my @hooks = under('webhooks');
	my @told = map { $_->[2] } grep { $_->[3] eq 'PRACTICE' } rows('proto/event.def', 'EVENT');
	push @faults, differences("$contract:" . ($hooks[0][0] // 1) . ': webhooks', [names(1, @hooks)], \@told, 'event');
	my (@routes, @paths);
	my $api = text('src/api/api_route.def');
	push @routes, "$1 $2" while $api =~ /^ROUTE(?:_OPEN|_BULK)?\("([A-Z]+)", "(\/[^"]*)",/gm;
	for my $path (names(1, under('paths'))) {
		push @paths, map { uc($_) . " $path" } grep { /^(?:get|post|put|patch|delete)$/ } names(2, under('paths', $path));
	}
	push @faults, differences("$contract:1: paths", \@paths, \@routes, 'route');
	return @faults;
};

# --- problems -------------------------------------------------------------------------------------------------------

# code => [{status => 1}, path, line] of every problem that the C code can answer.
sub problems {
	my %problem;
	my $take = sub {
		my ($path, $text, $at, $code, $status) = @_;
		$problem{$code} = [$problem{$code}[0] // {}, $path, line_of($text, $at)];
		$problem{$code}[0]{$status} = 1 if $status;
	};
	for my $path (grep { $_ ne 'src/app/app_receiver.c' } files(qr{^src/(?:api|app|link|http)/.*\.c$})) {
		my $text = text($path);
		while ($text =~ /\b\w*problem\([^;"]*?(\d{3}), "([a-z_]+)"/g) {
			$take->($path, $text, $-[2], $2, $1);
		}
		while ($text =~ /\bapi_problem\([^;"]*?(\d{3}), [^"]*\? "([a-z_]+)"/g) { $take->($path, $text, $-[2], $2, $1) }
		while ($text =~ /\bapi_unavailable\([^;"]*"([a-z_]+)"/g) { $take->($path, $text, $-[1], $1, 503) }
		while ($text =~ /"(json_[a-z_]+)"/g) { $take->($path, $text, $-[1], $1, 400) }
		next unless $path =~ m{^src/http/http_(?:parser|guard|chunk|wire)\.c$};
		while ($text =~ /\{"([a-z_]+)", (\d{3})\}/g) { $take->($path, $text, $-[1], $1, $2) }
		while ($text =~ /(?:\breturn |\] = |\? |: )"([a-z_]+)"/g) { $take->($path, $text, $-[1], $1) }
		while ($text =~ /\b(?:refuse|fault)\([^;"]*"([a-z_]+)"/g) { $take->($path, $text, $-[1], $1) }
	}
	delete $problem{client_gone}; # nobody hears it
	return \%problem;
}

# [path, line, code] of every problem that a function or a statement of the database gives: what `problem` is set to.
sub given_by_sql {
	my @given;
	for my $path (files(qr{^(?:migrations|src/store/sql)/.*\.sql$})) {
		my $text = text($path);
		while ($text =~ /\bproblem := ([^;]*);/g) {
			my ($at, $said) = ($-[1], $1);
			push @given, [$path, line_of($text, $at), $1] while $said =~ /(?:\A|\bTHEN |\bELSE )'([a-z_]+)'/g;
		}
		while ($text =~ /'([a-z_]+)'(?:::text)? AS problem\b/g) { push @given, [$path, line_of($text, $-[1]), $1] }
	}
	return @given;
}

check 'problems', 'every problem is a row of problem.def with its status, openapi.yaml tells them all, and every fault', sub {
	return () unless grep { $_ eq $contract } @files;
	my @rows = rows('proto/problem.def', 'PROBLEM') or return 'proto/problem.def:1: no rows were found';
	my (%row, %lines);
	for (@rows) { $row{$_->[1]} = $_; push @{$lines{$_->[1]}}, $_->[0] }
	my ($values, $told, $line) = enumeration('ProblemCode');
	my $where = "$contract:$line: ProblemCode";
	my $truth = problems();
	my @faults = differences($where, $values, [map { $_->[1] } @rows], 'code');
	push @faults, map { "proto/problem.def:$lines{$_}[-1]: $_ stands there twice" } grep { @{$lines{$_}} > 1 } sort keys %lines;
	push @faults, differences($where, [keys %$told], $values, 'sentence of');
	for (@rows) {
		my ($at, $code, $status, $retry, $sentence) = @$_;
		my $said = "$status. " . ($retry eq 'RETRY' ? 'Retry' : 'Do not retry') . ". $sentence";
		push @faults, "$where: $code is told in other words than in proto/problem.def:$at"
			if defined $told->{$code} && $told->{$code} ne $said;
		push @faults, "proto/problem.def:$at: $code is never answered" unless $truth->{$code} || literal($code);
	}
	for my $code (sort keys %$truth) {
		my ($statuses, $path, $at) = @{$truth->{$code}};
		if (!$row{$code}) { push @faults, "$path:$at: $code is no row of proto/problem.def"; next }
		for my $status (%$statuses ? sort keys %$statuses : 400) {
			push @faults, "$path:$at: $code is $status, in proto/problem.def $row{$code}[2]" if $row{$code}[2] != $status;
		}
	}
	push @faults, map { "$_->[0]:$_->[1]: $_->[2] is no row of proto/problem.def" } grep { !$row{$_->[2]} } given_by_sql();
	my %fault;
	# A fault's code stands before its sentence.
	for my $path (files(qr{^src/api/.*\.c$})) {
		my $text = text($path);
		while ($text =~ /\b(?:\w*fault\w*|creation_error)\(([^;]*);/g) {
			my $call = $1;
			$fault{$1} = 1 if $call =~ /^[rch], [^;]*?, "([a-z_]+)"/;
			while ($call =~ /"([a-z_]+)"(?:\s*:\s*"([a-z_]+)")?,\s*"[A-Z]/g) { $fault{$_} = 1 for grep { defined } $1, $2 }
		}
	}
	delete $fault{validation_failed}; # the problem that carries them
	$fault{$_->[1]} = 1 for rows('proto/lint_rule.def', 'LINT'), rows('proto/text_template.def', 'TEMPLATE_FAULT');
	my $phone = text('src/policy/policy_phone.c');
	$fault{$1} = 1 while $phone =~ /\{"(phone_[a-z_]+)", "/g;
	($values, $told, $line) = enumeration('FaultCode');
	push @faults, differences("$contract:$line: FaultCode", $values, [sort keys %fault], 'code');
	push @faults, differences("$contract:$line: FaultCode", [keys %$told], $values, 'sentence of');
	return @faults;
};

check 'quoting', 'openapi.yaml is plain YAML: no anchors, aliases, tags or merge keys', sub {
	return () unless grep { $_ eq $contract } @files;
	my @faults;
	my $block; # indentation of the key of a block text
	each_line($contract, sub {
		my ($n, $line) = @_;
		my ($blank) = $line =~ /^( *)/;
		return if $line !~ /\S/ || (defined $block && length($blank) > $block);
		undef $block;
		push @faults, "$contract:$n: an anchor, alias, tag or merge key" if $line =~ /(?:^|[:\-\[,] +)[&*!][A-Za-z]|<<:/;
		$block = length($blank) if $line =~ /: [|>][-+]?\s*$/;
	});
	return @faults;
};
1;
