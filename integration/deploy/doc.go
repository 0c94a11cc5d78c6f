// Package deploy runs the shell blocks of docs/deploy.md as they stand: what the page says must work.
package deploy
