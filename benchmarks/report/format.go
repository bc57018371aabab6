package report

import (
	"math"
	"strconv"
	"strings"
)

// number writes three digits that count, in groups of thousands: 36.1, 1,480,
// 0.052. What is not known is a dash.
func number(x float64) string {
	switch {
	case math.IsNaN(x):
		return "–"
	case x == 0 || math.Abs(x) < 0.0005:
		return "0"
	case math.Abs(x) < 1:
		return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(x, 'f', 3, 64), "0"), ".")
	case math.Abs(x) < 10:
		return strconv.FormatFloat(x, 'f', 2, 64)
	case math.Abs(x) < 100:
		return strconv.FormatFloat(x, 'f', 1, 64)
	default:
		unit := math.Pow(10, math.Floor(math.Log10(math.Abs(x)))-2)
		return whole(math.Round(x/unit) * unit)
	}
}

// whole writes a number that is one.
func whole(x float64) string { return thousands(strconv.FormatFloat(x, 'f', 0, 64)) }

// tickLabel writes round numbers without the zeros that [number] puts behind.
func tickLabel(x float64) string {
	if x >= 1 && x == math.Trunc(x) {
		return whole(x)
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}

// thousands puts commas between groups of three digits.
func thousands(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// count writes allocations and bytes: what a whole run costs once, spread over
// many tasks, is none.
func count(x float64) string {
	if x < 0.005 {
		return "0"
	}
	return number(math.Round(x*100) / 100)
}

// slug makes a file name of a case's name.
func slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			b.WriteRune(r)
		case r == 'µ':
			b.WriteByte('u')
		case r == ' ' || r == '-':
			if !strings.HasSuffix(b.String(), "-") {
				b.WriteByte('-')
			}
		}
	}
	return strings.Trim(b.String(), "-")
}
