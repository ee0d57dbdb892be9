#!/bin/sh
# wtrun's guard of one attempt (docs/guards.md). It forwards every hook of yours.
name=${0##*/}
here=@HERE@
nl='
'
# without the settings of this environment git tells what is configured in the repository
paths=$(GIT_CONFIG_COUNT=@COUNT@ git rev-parse --path-format=absolute \
  --git-common-dir --absolute-git-dir --git-path hooks 2>/dev/null) || exit 0
common=${paths%%"$nl"*}
rest=${paths#*"$nl"}
gitdir=${rest%%"$nl"*}
user=${rest#*"$nl"}

input=
case $name in reference-transaction | pre-push) input=$(cat) ;; esac

# 0: passes; 1: refused, the reason was printed; anything else: no answer, so no refusal
check() {
  @CHECK@ "$name" "$gitdir"
  case $? in
    0) ;;
    1) exit 1 ;;
    *) echo "wtrun: the guard could not check this $name; the audit will" >&2 ;;
  esac
}

guard_commit() {
  # a merge or a rebase brings what others committed
  for busy in MERGE_HEAD rebase-merge rebase-apply; do
    [ -e "$gitdir/$busy" ] && return
  done
  # of one git process both hooks run: the second one only looks whether more was staged meanwhile
  staged="$PPID $(staged_paths | cksum)"
  seen=$gitdir/wtrun-checked
  [ "$name" = prepare-commit-msg ] && [ "$(cat "$seen" 2>/dev/null)" = "$staged" ] && return
  staged_paths | check || exit 1
  [ "$gitdir" != @GITDIR@ ] || { echo "$staged" >"$seen"; } 2>/dev/null || :
}

staged_paths() {
  git diff --cached --name-only --no-renames --no-ext-diff -z
}

# a sign for the run, which looks at conflicts to come when a branch has moved
note_move() {
  case $input in *" "@BRANCH@ | *" "@BRANCH@"$nl"*) printf . >>"$gitdir/@MOVED@" ;; esac
}

guard_refs() {
  if [ "$1" = committed ] && [ "$gitdir" = @GITDIR@ ]; then note_move 2>/dev/null; fi
  [ "$1" = prepared ] || return 0
  bad=
  while read -r old new ref; do
    [ -n "$ref" ] || continue
    verdict=bad
    if [ "$gitdir" = @GITDIR@ ]; then
      case $ref in
        @BRANCH@) case $new in *[!0]*) verdict=good ;; esac ;;
        refs/bisect/* | refs/worktree/* | refs/rewritten/*) verdict=good ;;
        refs/* | main-worktree/* | worktrees/*) ;;
        *) verdict=good ;;
      esac
    fi
    [ $verdict = good ] || bad="$bad$old $new $ref$nl"
  done <<END
$input
END
  [ -z "$bad" ] || refuse "$bad"
}

# decided here; the program finds the words and keeps the log
refuse() {
  printf '%s' "$1" | @CHECK@ "$name" "$gitdir"
  [ $? -le 1 ] || echo "wtrun: refused: a plan moves its own branch only and pushes nothing" >&2
  exit 1
}

if [ "$common" = @COMMON@ ]; then
  case $name in
    pre-commit | prepare-commit-msg) guard_commit ;;
    reference-transaction) guard_refs "$1" ;;
    pre-push) refuse "$input" ;;
  esac
  [ @FORWARD@ = run ] || exit 0
fi

hook=$user/$name
[ "$user" != "$here" ] && [ -f "$hook" ] && [ -x "$hook" ] || exit 0
case $name in
  reference-transaction | pre-push)
    [ -z "$input" ] || input=$input$nl
    printf '%s' "$input" | "$hook" "$@"
    ;;
  *) exec "$hook" "$@" ;;
esac
