#!/usr/bin/env perl
# The traps of SMPP interoperability (traps.tsv) and the tests that show each: those whose title has "trap N" and the unit
# tests whose name starts with trap_N_. Prints docs/smpp-traps.md; tests/tidy/run traps compares.
use strict;
use warnings FATAL => 'all';

my $root = shift // '.';
open(my $git, '-|', 'git', '-C', $root, 'ls-files', '-co', '--exclude-standard', 'tests/blackbox', 'tests/unit') or die "git: $!\n";
chomp(my @files = <$git>);
close($git) or die "git ls-files failed\n";

sub slurp {
	my ($path) = @_;
	open(my $f, '<:raw', "$root/$path") or die "$path: $!\n";
	local $/;
	return <$f> // '';
}

# [number, title] of every named test of a file.
sub titles {
	my ($path) = @_;
	my $text = slurp($path);
	my @titles;
	if ($path =~ /_test\.c$/) {
		push @titles, [$1, $2] while $text =~ /cmocka_unit_test\w*\(trap_(\d+)_(\w+)/g;
		return map { [$_->[0], $_->[1] =~ tr/_/ /r] } @titles;
	}
	while ($text =~ /\btest\(\s*(['"`])((?:\\.|(?!\1).)*)\1/gs) {
		my $title = $2;
		my @numbers = $title =~ /\btrap (\d+)\b/g or next;
		$title =~ s/\$\{(\w+)[^}]*\}/($1)/g;
		$title =~ s/\\(.)/$1/g;
		$title =~ s/^(?:trap \d+(?:, | and |: ))+//;
		push @titles, map { [$_, $title] } @numbers;
	}
	return @titles;
}

my %shown;
for my $path (sort grep { m{_test\.c$|\.test\.mjs$} && -f "$root/$_" } @files) {
	push @{ $shown{ $_->[0] } }, "$_->[1] (`$path`)" for titles($path);
}
my (undef, @rows) = split /\n/, slurp('tests/tidy/traps.tsv');
print "# Traps of SMPP interoperability, and the tests that show them\n\n",
	"Printed by `perl tests/tidy/traps.pl . > docs/smpp-traps.md` from `tests/tidy/traps.tsv` and the titles of the tests.\n";
for (@rows) {
	my ($number, $trap, $does) = split /\t/;
	my @tests = @{ $shown{$number} // [] };
	print "\n## $number. $trap\n\n$does\n\n";
	print @tests ? map { "- $_\n" } @tests : "No test shows it.\n";
}
