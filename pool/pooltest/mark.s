// This file lets mark.go declare a function without a body.
