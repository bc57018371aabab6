package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// checked is what the lists of TestCheck are about.
var checked = map[string]string{
	"a": "a", "b c": "b c", "new\nline": "newline", "*star": "star", " lead": "lead", "p(a)r": "paren", "dir/f": "f",
}

func TestCheckAnswersAsSha256sum(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFiles(t, checked)
	a, wrong := hexOf("a"), strings.Repeat("0", 64)
	malformed := func(n string) string { return "checksum: WARNING: " + n + " improperly formatted\n" }
	unread := func(n string) string { return "checksum: WARNING: " + n + " could not be read\n" }
	mismatched := func(n string) string { return "checksum: WARNING: " + n + " did NOT match\n" }
	nothing := "checksum: standard input: no properly formatted checksum lines found\n"
	missing := "checksum: gone: no such file or directory\n"
	for name, test := range map[string]struct {
		list string
		want result
	}{
		"a match":                    {a + "  a\n", result{"a: OK\n", "", 0}},
		"a binary match":             {a + " *a\n", result{"a: OK\n", "", 0}},
		"upper case":                 {strings.ToUpper(a) + "  a\n", result{"a: OK\n", "", 0}},
		"no line end at the end":     {a + "  a", result{"a: OK\n", "", 0}},
		"line ends of Windows":       {a + "  a\r\n", result{"a: OK\n", "", 0}},
		"leading blanks":             {" \t" + a + "  a\n", result{"a: OK\n", "", 0}},
		"comments and empty lines":   {"# " + a + "  a\n\n\r\n" + a + "  a\n", result{"a: OK\n", "", 0}},
		"a name with a blank":        {hexOf("b c") + "  b c\n", result{"b c: OK\n", "", 0}},
		"a name that looks marked":   {hexOf("star") + "  *star\n" + hexOf("lead") + " * lead\n", result{"*star: OK\n lead: OK\n", "", 0}},
		"an escaped name":            {`\` + hexOf("newline") + `  new\nline` + "\n", result{`\new\nline: OK` + "\n", "", 0}},
		"an escaped name, mismatch":  {`\` + a + `  new\nline` + "\n", result{`\new\nline: FAILED` + "\n", mismatched("1 computed checksum"), 1}},
		"the BSD format":             {"SHA256 (a) = " + a + "\nSHA256(p(a)r)=" + hexOf("paren") + "\n", result{"a: OK\np(a)r: OK\n", "", 0}},
		"the BSD format, escaped":    {`\SHA256 (new\nline) = ` + hexOf("newline") + "\n", result{`\new\nline: OK` + "\n", "", 0}},
		"the reversed BSD format":    {a + " a\n" + hexOf("star") + " *star\n", result{"a: OK\n*star: OK\n", "", 0}},
		"reversed after marked":      {a + "  a\n" + a + " a\n", result{"a: OK\n", malformed("1 line is"), 0}},
		"tagged between marked":      {a + "  a\nSHA256 (a) = " + a + "\n" + a + "  a\n", result{"a: OK\na: OK\na: OK\n", "", 0}},
		"a mismatch":                 {wrong + "  a\n" + a + "  a\n", result{"a: FAILED\na: OK\n", mismatched("1 computed checksum"), 1}},
		"two mismatches":             {wrong + "  a\n" + wrong + "  a\n", result{"a: FAILED\na: FAILED\n", mismatched("2 computed checksums"), 1}},
		"a missing file":             {a + "  gone\n" + a + "  a\n", result{"gone: FAILED open or read\na: OK\n", missing + unread("1 listed file"), 1}},
		"two missing files":          {a + "  gone\n" + a + "  gone\n", result{"gone: FAILED open or read\ngone: FAILED open or read\n", missing + missing + unread("2 listed files"), 1}},
		"a directory":                {a + "  dir\n", result{"dir: FAILED open or read\n", "checksum: dir: is a directory\n" + unread("1 listed file"), 1}},
		"a line that is no entry":    {"garbage\n" + a + "  a\n", result{"a: OK\n", malformed("1 line is"), 0}},
		"two lines that are not":     {"garbage\n" + a[1:] + "  a\n" + a + "  a\n", result{"a: OK\n", malformed("2 lines are"), 0}},
		"all that can be wrong":      {"garbage\n" + a + "  gone\n" + wrong + "  a\n", result{"gone: FAILED open or read\na: FAILED\n", missing + malformed("1 line is") + unread("1 listed file") + mismatched("1 computed checksum"), 1}},
		"no entries":                 {"garbage\n", result{"", nothing, 1}},
		"nothing at all":             {"", result{"", nothing, 1}},
		"the list as a file of it":   {a + "  -\n", result{"", nothing, 1}},
		"an escape that is not one":  {`\` + a + `  a\t` + "\n", result{"", nothing, 1}},
		"an escape at the end":       {`\` + a + `  a\` + "\n", result{"", nothing, 1}},
		"too few digits":             {a[1:] + "  a\n", result{"", nothing, 1}},
		"too many digits":            {a + "0  a\n", result{"", nothing, 1}},
		"a digit that is none":       {a[1:] + "g  a\n", result{"", nothing, 1}},
		"no name":                    {a + "\n" + a + " \n", result{"", nothing, 1}},
		"another algorithm's tag":    {"MD5 (a) = " + a[:32] + "\n", result{"", nothing, 1}},
		"a tag without a sum":        {"SHA256 (a)\nSHA256 (a) = \n", result{"", nothing, 1}},
		"a tag without parentheses":  {"SHA256 a = " + a + "\nSHA256 (a = " + a + "\n", result{"", nothing, 1}},
		"a tag with something after": {"SHA256 (a) = " + a + " \n", result{"", nothing, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, checksum(test.list, "-c", "-"))
			if theirs, ok := sha256sum(t, test.list, "-c", "-"); ok {
				require.Equal(t, test.want.status, theirs.status)
				// How it shows a name with a newline here has changed over
				// time; TestCheckEscapesNamesLikeLists says what we do.
				if !strings.Contains(test.want.stdout, `\`) {
					require.Equal(t, test.want.stdout, theirs.stdout)
				}
				require.Equal(t, normal(test.want.stderr), normal(theirs.stderr))
			}
		})
	}
}

// normal takes away how the two programs word the same message: the name, the
// quotes, and the case of what the system says.
func normal(stderr string) string {
	return strings.NewReplacer("sha256sum:", "checksum:", "'", "").Replace(strings.ToLower(stderr))
}

func TestCheckAcceptsWhatWasPrinted(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFiles(t, strange)
	printed := checksum("").stdout
	require.NoError(t, os.WriteFile("../list", []byte(printed), 0o644))
	defer os.Remove("../list")
	got := checksum("", "-c", "../list")
	require.Zero(t, got.status)
	require.Empty(t, got.stderr)
	require.Equal(t, len(strange), strings.Count(got.stdout, ": OK\n"))
	if theirs, ok := sha256sum(t, printed, "-c", "-"); ok {
		require.Zero(t, theirs.status, theirs.stderr)
	}
}

func TestCheckEscapesNamesLikeLists(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFiles(t, map[string]string{`\leading`: "x", "return\r": "x"})
	for name, want := range map[string]string{`\leading`: `\\\leading: OK`, "return\r": `\return\r: OK`} {
		mark, escaped := escape(name)
		require.Equal(t, result{stdout: want + "\n"}, checksum(mark+hexOf("x")+"  "+escaped+"\n", "-c", "-"))
	}
}

func TestCheckReadsTheStandardInputOnce(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFiles(t, map[string]string{"list": hexOf("piped") + "  -\n" + hexOf("") + "  -\n"})
	want := result{stdout: "-: OK\n-: OK\n"}
	require.Equal(t, want, checksum("piped", "-c", "list"))
	if theirs, ok := sha256sum(t, "piped", "-c", "list"); ok {
		require.Equal(t, want, theirs)
	}
}

func TestCheckOfAListThatIsADirectory(t *testing.T) {
	require.Equal(t, result{stderr: "checksum: .: is a directory\n", status: 1}, checksum("", "-c", "."))
}

func TestCheckEndsWithTheListsReadError(t *testing.T) {
	broken := errors.New("bad sector")
	var stdout bytes.Buffer
	p, ctx, stderr := newProgram(t, &stdout, opener(func(name string) (fs.File, error) {
		if name != "list" {
			return fstest.MapFS{"a": {}}.Open(name)
		}
		lines := iotest.DataErrReader(strings.NewReader(hexOf("") + "  a\n"))
		return &unreadable{read: func(b []byte) (int, error) {
			n, err := lines.Read(b)
			if err != nil {
				err = broken
			}
			return n, err
		}}, nil
	}))
	p.check(ctx, "list")
	require.Equal(t, 1, p.status(ctx))
	require.Equal(t, "a: OK\n", stdout.String())
	require.Equal(t, "checksum: list: bad sector\n", stderr.String())
}

func TestCheckAnswersWhileTheListIsStillComing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := make(chan string, 2)
		p, ctx, _ := newProgram(t, writer(func(line string) error {
			answers <- line
			return nil
		}), fstest.MapFS{"a": {}})
		line, asked := hexOf("")+"  a\n", 0
		p.stdin = &unreadable{read: func(b []byte) (int, error) {
			if asked++; asked > 1 {
				require.Equal(t, "a: OK\n", <-answers) // or the bubble ends in a deadlock
			}
			if asked > 3 {
				return copy(b, "garbage"), errors.New("enough")
			}
			return copy(b, line), nil
		}}
		p.check(ctx, "-")
		require.Equal(t, 1, p.status(ctx))
		require.Equal(t, 4, asked)
	})
}

func TestLineThatIsTooLongIsCutAndTheRestSkipped(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFiles(t, map[string]string{"a": "a"})
	a := hexOf("a") + "  a\n"
	got := checksum(strings.Repeat("x", 3*maxLine)+"\n"+a+"#"+strings.Repeat("y", maxLine)+"\n"+a, "-c", "-")
	require.Equal(t, result{"a: OK\na: OK\n", "checksum: WARNING: 1 line is improperly formatted\n", 0}, got)
	got = checksum(hexOf("a")+"  "+strings.Repeat("x", 2*maxLine), "-c", "-")
	require.Equal(t, 1, got.status)
	require.Contains(t, got.stderr, "name too long")
}
