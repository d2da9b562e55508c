# C: who includes whom, how long things are, what is not called, what is documented.
use strict;
use warnings FATAL => 'all';
our ($root, @files);

# --- who may see whom -----------------------------------------------------------------------------------------------

my %sees = (
	base => '', text => 'base proto', http => 'base', policy => 'base proto', smpp => 'base proto', config => 'base proto',
	script => 'base text smpp proto',
	net => 'base', store => 'base net', link => 'base smpp http net proto',
	dispatch => 'base text policy store link smpp net proto',
	api => 'base text http policy smpp net store link dispatch proto',
	app => 'base text http policy smpp script config net store link dispatch api proto',
);
# Who alone may include a header that is not ours.
my @outside = (
	[qr{^uv\.h$}, 'net'], [qr{^openssl/}, 'net'], [qr{^curl/}, 'net'], [qr{^libpq}, 'store'], [qr{^postgres|^pg_}, ''],
	[qr{^yaml\.h$}, 'config'], [qr{^llhttp\.h$}, 'http'], [qr{^jansson}, 'api app'],
	[qr{^uthash\.h$|^utlist\.h$}, join ' ', keys %sees],
);
my $pure = 'text http policy smpp script config'; # no clock, no socket, no files: nothing of the system
my $libc = qr{^(?:assert|ctype|errno|float|inttypes|limits|math|setjmp|signal|stdalign|stdarg|stdatomic|stdbool|stddef|
	stdint|stdio|stdlib|stdnoreturn|string|strings|time|wchar)\.h$}x;
my $system = qr{^(?:dirent|fcntl|glob|grp|netdb|poll|pthread|pwd|sched|spawn|syslog|termios|unistd)\.h$|
	^(?:sys|arpa|net|netinet)/[a-z]+\.h$}x;
my $impure_libc = qr{^(?:time|signal)\.h$};

sub among { my ($word, $list) = @_; return grep { $_ eq $word } split / /, $list }

sub folder_of_header {
	my %folder;
	for (files(qr{^(?:src/[a-z]+|proto)/[^/]+\.(?:h|def)$})) {
		m{^(?:src/)?([a-z]+)/([^/]+)$} or next;
		$folder{$2} = $1;
	}
	return \%folder;
}

sub include_fault {
	my ($folder, $mark, $name, $folder_of) = @_;
	if ($mark eq '"') {
		return "\"$name\" is given with a path: headers are included by name" if $name =~ m{/};
		my $of = $folder_of->{$name} or return "\"$name\" is no header of ours";
		return "nothing includes app" if $of eq 'app' && $folder ne 'app';
		return undef if $of eq $folder;
		return "$folder may not see $of ($name)" unless among($of, $sees{$folder});
		return "$name is for $of only" if $name =~ /_internal\.h$/;
		return undef;
	}
	for (@outside) {
		next unless $name =~ $_->[0];
		return among($folder, $_->[1]) ? undef : "<$name> may be included in " . ($_->[1] || 'no folder') . " only";
	}
	my $impure = ($name =~ $system && $name ne 'arpa/inet.h') || $name =~ $impure_libc;
	return "$folder is pure: no <$name>" if $impure && among($folder, $pure);
	return undef if $name =~ $libc || $name =~ $system;
	return "<$name> is not on the list of headers that the house knows";
}

check 'includes', 'every include is one that its folder may make', sub {
	my @faults;
	my $folder_of = folder_of_header();
	for my $path (files(qr{^src/.*\.[ch]$})) {
		my ($folder) = $path =~ m{^src/([a-z]+)/[^/]+$};
		if (!$folder || !exists $sees{$folder}) { push @faults, "$path:1: a folder that the house does not know"; next }
		(my $base = $path) =~ s{.*/}{};
		push @faults, "$path:1: the name does not begin with its folder's" unless $base =~ /^\Q$folder\E[_.]/;
		each_line($path, sub {
			my ($n, $line) = @_;
			return unless $line =~ /^\s*#\s*include\s*([<"])([^>"]+)/;
			my $fault = include_fault($folder, $1, $2, $folder_of);
			push @faults, "$path:$n: $fault" if $fault;
		});
	}
	for my $path (files(qr{^tests/.*\.[ch]$})) {
		each_line($path, sub {
			my ($n, $line) = @_;
			push @faults, "$path:$n: nothing includes app" if $line =~ /^\s*#\s*include\s*"(?:app|app_\w+)\.h"/;
		});
	}
	return @faults;
};

# --- text without comments and strings ------------------------------------------------------------------------------

# Comments and the insides of literals become blanks, so that lines and columns stay.
sub bare {
	my ($text) = @_;
	$text =~ s{(/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')}{
		my $piece = $1;
		my $mark = $piece =~ /^["']/ ? substr($piece, 0, 1) : '';
		(my $blank = $piece) =~ s/[^\n]/ /g;
		$mark ? $mark . substr($blank, 1, length($blank) - 2) . $mark : $blank;
	}gse;
	return $text;
}

# --- how long -------------------------------------------------------------------------------------------------------

my $FUNCTION_MAX = 70;
my $FILE_MAX = 800;

# [name, line, lines] of every function: from its name to the brace that closes it. A body opens with a brace of its own
# in the first column.
sub functions {
	my ($path) = @_;
	my @lines = split /\n/, bare(text($path));
	my (@found, $from);
	for my $i (0 .. $#lines) {
		if ($lines[$i] =~ /^\{/) {
			$from = $i;
			$from-- while $from > 0 && $lines[$from - 1] =~ /\S/ && $lines[$from - 1] !~ /^[}#]|;\s*$/;
		} elsif ($lines[$i] =~ /^\}/ && defined $from) {
			my $head = join ' ', @lines[$from .. $i];
			push @found, [$head =~ /(\w+)\s*\(/ ? $1 : '?', $from + 1, $i - $from + 1];
			undef $from;
		}
	}
	return @found;
}

sub rank { my ($share, @sorted) = @_; return $sorted[int($share * $#sorted + 0.5)] }

check 'functions', "no function has more than $FUNCTION_MAX lines", sub {
	my @faults;
	for my $part ('src', 'tests') {
		my @lengths;
		for my $path (files(qr{^$part/.*\.c$})) {
			for (functions($path)) {
				my ($name, $line, $lines) = @$_;
				push @lengths, $lines;
				push @faults, "$path:$line: $name has $lines lines" if $lines > $FUNCTION_MAX;
			}
		}
		@lengths = sort { $a <=> $b } @lengths;
		note(sprintf '%s: %d functions, median %d lines, p90 %d, longest %d', $part, scalar @lengths, rank(0.5, @lengths),
			rank(0.9, @lengths), $lengths[-1]) if @lengths;
	}
	return @faults;
};

check 'lengths', "no .c file has more than $FILE_MAX lines", sub {
	my (@faults, @lengths);
	for my $path (files(qr{\.c$})) {
		my $lines = () = text($path) =~ /\n/g;
		push @lengths, $lines if $path =~ /^src/;
		push @faults, "$path:$FILE_MAX: $lines lines" if $lines > $FILE_MAX;
	}
	@lengths = sort { $a <=> $b } @lengths;
	note(sprintf 'src: %d files, median %d lines, longest %d', scalar @lengths, rank(0.5, @lengths), $lengths[-1])
		if @lengths;
	return @faults;
};

# --- what is not called ---------------------------------------------------------------------------------------------

# calls, where, but not in these files, what to do
my @banned = (
	['strcpy strcat stpcpy strncpy strncat sprintf vsprintf gets', qr{\.[ch]$}, '', 'copy_str, copy_view or snprintf'],
	['strtok strtok_r', qr{\.[ch]$}, '', 'a view and a cursor'],
	['atoi atol atoll atof scanf sscanf fscanf vsscanf', qr{^src/.*\.[ch]$}, '', 'parse_u64, which knows an error'],
	['alloca', qr{\.[ch]$}, '', 'a pool'],
	['system popen', qr{^src/.*\.[ch]$}, '', 'fork and exec without a shell'],
	['localtime localtime_r gmtime gmtime_r strftime mktime timegm ctime asctime', qr{^src/.*\.[ch]$}, '', 'base_time'],
	['time gettimeofday clock_gettime', qr{^src/.*\.[ch]$}, 'src/base/base_time.c', 'clock_read: time is an argument'],
	['rand srand random srandom drand48 rand_r', qr{^src/.*\.[ch]$}, '', 'random_bytes or random_below'],
	['sleep usleep nanosleep', qr{^src/.*\.[ch]$}, '', 'a timer of the loop'],
	['setjmp longjmp', qr{^src/.*\.[ch]$}, '', 'results'],
);

check 'banned', 'no banned function is called', sub {
	my @faults;
	for my $path (files(qr{^(?:src|tests)/.*\.[ch]$})) {
		my $text = bare(text($path));
		for (@banned) {
			my ($names, $where, $not_in, $instead) = @$_;
			next if $path !~ $where || among($path, $not_in);
			my $alternatives = join '|', split / /, $names;
			while ($text =~ /(?<![\w.>])($alternatives)\s*\(/g) {
				push @faults, "$path:" . line_of($text, $-[1]) . ": $1 is banned; use $instead";
			}
		}
	}
	return @faults;
};

check 'loggers', 'only base, store, link, dispatch, api and app log; libraries return', sub {
	my @faults;
	for my $path (files(qr{^src/(?:text|http|policy|smpp|script|config|net)/.*\.[ch]$})) {
		my $text = bare(text($path));
		while ($text =~ /\b(log_event|printf|puts|perror|fprintf)\s*\(/g) {
			push @faults, "$path:" . line_of($text, $-[1]) . ": $1 in a library";
		}
	}
	return @faults;
};

# --- what is documented ---------------------------------------------------------------------------------------------

# A prototype is documented by a comment in its group (lines without an empty one between), or by the comment on the
# struct right above the group. A group without either is a fault, but for lifecycle pairs (new, free).
check 'comments', 'every group of public declarations has a comment, and every header says what it is for', sub {
	my (@faults, $all, $documented);
	for my $path (files(qr{^src/.*\.h$})) {
		next if $path =~ /_internal\.h$/;
		my $text = text($path);
		push @faults, "$path:1: the header does not begin with a comment" unless $text =~ m{^/\*};
		my $line = 1;
		my ($comment, $type, $first, @group) = (0, 0);
		my $close = sub {
			my $told = $comment || $type == 2;
			$all += @group;
			$documented += @group if $told;
			if (@group && !$told) {
				push @faults, "$path:$first: no comment above $_" for grep { !/_(?:new|free)$/ } @group;
			}
			$type = $type == 1 && $comment ? 2 : 0;
			($comment, @group) = (0);
		};
		my $depth = 0;
		for my $l (split /\n/, $text) {
			my $code = $l =~ s{"(?:[^"\\]|\\.)*"}{""}gr;
			$close->() if $l !~ /\S/ && $depth == 0;
			$comment = 1 if $l =~ m{/\*|^ \*} && $l !~ m{^/\* ---} && $line > 1;
			if ($depth == 0 && $code =~ /^[a-z][^;{}=]*?\b(\w+)\([^*]/ && $code !~ /^(?:typedef|static|struct \w+ \{)|^#/) {
				$first = $line unless @group;
				push @group, $1;
			}
			$type = 1 if $depth == 0 && $code =~ /^(?:struct|enum) \w+ \{/;
			my $open = () = $code =~ /\{/g;
			my $shut = () = $code =~ /\}/g;
			$depth += $open - $shut;
			$line++;
		}
		$close->();
	}
	note(sprintf '%d public functions, %d in commented groups', $all // 0, $documented // 0);
	return @faults;
};
1;
