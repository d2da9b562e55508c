# Text: what no line of the tree may hold, whatever its language.
use strict;
use warnings FATAL => 'all';
our ($root, @files);

# What ships and what tests it in C keeps to .editorconfig; scripts, test SQL and prose get more.
my $COLUMNS = 120;
my $COLUMNS_WIDE = 160;
my $wide = qr{\.(?:mjs|md)$|^tests/(?!.*\.[ch]$)};
my $data = qr{^tests/fuzz/corpus/|\.(?:png|ico|gz|der)$};
my $self = qr{^tests/tidy/};

sub prose { return grep { $_ !~ $data } files(qr{.}) }

check 'lines', "no line has more than $COLUMNS characters, $COLUMNS_WIDE in scripts, test SQL and prose", sub {
	my (@faults, $tabs);
	my $kinds = qr{\.(?:c|h|def|sql|sh|pl|mjs|ya?ml|cmake|txt|md)$|/(?:run|selftest|lint|command|quickstart)$};
	for my $path (grep { $_ !~ $data } files($kinds)) {
		next if $path eq 'config.yaml.example';
		each_line($path, sub {
			my ($n, $line) = @_;
			utf8::decode($line);
			my $long = length($line);
			# What is not broken: a row of a table, an address, one word; an expected answer of a golden page.
			return if $path =~ /\.md$/ && $line =~ /^\s*\||https?:|^\S+$/ || $path =~ /\.def$/ && $line =~ /^[A-Z_0-9]+\(/ ||
				$path =~ m{^tests/golden/};
			push @faults, "$path:$n: $long characters" if $long > ($path =~ $wide ? $COLUMNS_WIDE : $COLUMNS);
			(my $columns = $line) =~ s{\t}{        }g;
			$tabs++ if $path !~ $wide && $long <= $COLUMNS && length($columns) > $COLUMNS;
		});
	}
	note(sprintf 'tabs are counted as one; %d more lines pass %d columns with tabs of 8', $tabs, $COLUMNS) if $tabs;
	return @faults;
};

sub no_line_holds {
	my ($pattern, $what, $not_in) = @_;
	my @faults;
	for my $path (prose()) {
		next if $path =~ $not_in;
		each_line($path, sub {
			my ($n, $line) = @_;
			push @faults, "$path:$n: " . (ref $what ? $what->($line) : $what) if $line =~ $pattern;
		});
	}
	return @faults;
}

check 'todo', 'nothing is left for later', sub {
	return no_line_holds(qr{\b(?:TODO|FIXME|XXX|HACK)\b}, 'a note to do something later', $self);
};

check 'blanks', 'no trailing blanks, no CR, a newline at the end', sub {
	my @faults = no_line_holds(qr{[ \t\r]$}, 'blanks at the end', qr{^tests/golden/});
	for my $path (prose()) {
		push @faults, "$path:1: the last line has no newline" if length(text($path)) && text($path) !~ /\n\z/;
	}
	return @faults;
};

check 'tabs', 'blanks indent mjs, json, yaml and md', sub {
	my @faults;
	for my $path (files(qr{\.(?:mjs|json|ya?ml|md)$})) {
		next if $path =~ m{^tests/golden/};
		each_line($path, sub { push @faults, "$path:$_[0]: indented by a tab" if $_[1] =~ /^ *\t/ });
	}
	return @faults;
};

# The words are put together here so that this file does not hold them itself.
my $machine = join '|', map { "/$_/" } 'wor' . 'k', 'hom' . 'e/[a-z]+', 'roo' . 't', 'Use' . 'rs';
my $registry = join '|', map { quotemeta } 'registry.' . 'npmjs', 'registry.' . 'yarnpkg', 'deb.' . 'debian.org',
	'pypi.' . 'org', 'arti' . 'factory', 'proxy.' . 'golang', 'crates' . '.io', 'npm.pkg.' . 'github';

check 'machine', 'no path of a machine', sub {
	return no_line_holds(qr{(?:^|[\s"'=:(`])(?:$machine)}, 'a path of a machine', qr{^\.ci/|^$});
};

check 'registry', 'no host of a package registry, no "resolved" in a lock file', sub {
	my @faults = no_line_holds(qr{$registry}i, 'a registry', qr{^$});
	for my $path (files(qr{(?:^|/)(?:package-lock|npm-shrinkwrap)\.json$|(?:^|/)yarn\.lock$})) {
		each_line($path, sub { push @faults, "$path:$_[0]: \"resolved\" names a registry" if $_[1] =~ /"?resolved"?[: ]/ });
	}
	return @faults;
};

# --- phones ---------------------------------------------------------------------------------------------------------

# What may stand there besides NPA-555-01XX: tests/tidy/phones.txt, "number  why" a line.
sub allowed_phones {
	my %allowed;
	return \%allowed unless grep { $_ eq 'tests/tidy/phones.txt' } @files;
	each_line('tests/tidy/phones.txt', sub {
		return if $_[1] =~ /^\s*(?:#|$)/;
		my ($number, $why) = split /\s+/, $_[1], 2;
		$allowed{$number} = $why || die "tests/tidy/phones.txt:$_[0]: say why\n";
	});
	return \%allowed;
}

sub area_codes {
	my %areas;
	return \%areas unless grep { $_ eq 'proto/npa.def' } @files;
	my $rows = text('proto/npa.def');
	$areas{$1} = 1 while $rows =~ /\bNPA(?:_FOREIGN)?\((\d{3}),/g;
	return \%areas;
}

# Could anybody have it? Numbers of the plan with a plus sign or punctuation could unless they are impossible; a bare
# run of ten digits only when its area code is in use (and not behind `date:`, where receipts have one). Numbers of
# other countries always could.
sub possible {
	my ($found, $areas) = @_;
	(my $digits = $found) =~ s/\D//g;
	return $digits !~ /^0/ if $found =~ /^\+[^1]/;
	return 0 if $found =~ /^\+1/ && length($digits) != 11;
	my ($area, $exchange, $line) = $digits =~ /^1?([2-9]\d\d)([2-9]\d\d)(\d{4})$/ or return 0;
	return 0 if $area =~ /11$/ || $exchange =~ /11$/ || ($exchange eq '555' && $line =~ /^01/);
	return $found =~ /\D/ || $areas->{$area};
}

my $phone = qr{
	(?<![\w.+-]) (?<![Dd][Aa][Tt][Ee]:) (?:
		\+ [0-9]{8,15} |
		(?:\+?1[-.\ ])? (?: \([2-9][0-9]{2}\)\ ? | [2-9][0-9]{2}[-.\ ] ) [2-9][0-9]{2} [-.\ ] [0-9]{4} |
		1? [2-9][0-9]{2} [2-9][0-9]{2} [0-9]{4}
	) (?![\w-])
}x;

check 'phones', 'every phone is NPA-555-01XX, impossible, or stands in tests/tidy/phones.txt', sub {
	my (@faults, %used);
	my $allowed = allowed_phones();
	my $areas = area_codes();
	for my $path (prose()) {
		next if $path =~ m{^tests/tidy/phones\.txt$|^proto/npa\.def$|^LICENSE$|package-lock\.json$};
		each_line($path, sub {
			my ($n, $line) = @_;
			while ($line =~ /($phone)/g) {
				my $found = $1;
				(my $number = $found) =~ s/[^\d+]//g;
				$used{$number} = 1;
				push @faults, "$path:$n: $found might be somebody's" if possible($found, $areas) && !$allowed->{$number};
			}
		});
	}
	push @faults, map { "tests/tidy/phones.txt:1: $_ is not used any more" } sort grep { !$used{$_} } keys %$allowed;
	return @faults;
};
1;
