#include <algorithm>
#include <utility>

#include "sim/sim_git.h"

namespace oj::sim {
namespace {

constexpr int kTriesOfPackedRefs = 50;  // a step apart

const std::string kNoCommit(40, '0');

std::string BaseName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

GitCommand::GitCommand(SimGit& git, const std::vector<std::string>& argv)
    : git_(git), disk_(git.disk_) {
  std::size_t at = 1;
  for (; at < argv.size() && argv[at].starts_with('-'); ++at) {
    const bool valued = argv[at] == "-C" || argv[at] == "-c";
    if (argv[at] == "-C" && at + 1 < argv.size()) directory_ = argv[at + 1];
    if (valued) ++at;
  }
  words_.assign(argv.begin() + static_cast<std::ptrdiff_t>(std::min(at, argv.size())), argv.end());
  Then([this] { Begin(); });
}

bool GitCommand::Step() {
  if (steps_.empty()) return false;
  const auto step = std::move(steps_.front());
  steps_.pop_front();
  step();
  return !steps_.empty();
}

void GitCommand::OnTerm() {
  steps_.clear();
  for (const std::string& lock : locks_) disk_.Erase(lock);
  if (!junk_worktree_.empty()) disk_.Erase(junk_worktree_);
  if (!junk_entry_.empty()) disk_.Erase(junk_entry_);
}

bool GitCommand::Lock(const std::string& path, const std::string& ref, int code) {
  const std::string lock = path + ".lock";
  if (disk_.Exists(lock)) {
    Fatal("cannot lock ref '" + ref + "': Unable to create '" + lock + "': File exists.", code);
    return false;
  }
  disk_.Write(lock, "");
  locks_.push_back(lock);
  return true;
}

void GitCommand::Unlock(const std::string& path) {
  disk_.Erase(path + ".lock");
  std::erase(locks_, path + ".lock");
}

void GitCommand::Fatal(std::string_view what, int code) {
  answer_.exit = code;
  answer_.err.append(code == 1 ? "error: " : "fatal: ").append(what).append("\n");
  steps_.clear();
}

bool GitCommand::Has(std::string_view word) const {
  return std::find(words_.begin(), words_.end(), word) != words_.end();
}

void GitCommand::Begin() {
  if (words_.empty()) {
    answer_.out = "git version 2.39.5\n";
    return;
  }
  const auto at = git_.Discover(directory_, answer_);
  if (!at) return;
  common_ = at->common;
  const std::string& name = words_[0];
  if (name == "rev-parse") return RevParse(*at);
  if (name == "rev-list") return RevList(*at);
  if (name == "update-ref") return UpdateRef(*at);
  if (name == "worktree") return Worktree(*at);
  if (name == "status" || name == "ls-files") {
    if (at->worktree.empty()) return Fatal("this operation must be run in a work tree");
    answer_.out = name == "status" ? git_.Status(*at) : git_.ListFiles(*at);
    return;
  }
  answer_.exit = 1;
  answer_.err = "git: '" + name + "' is not a git command. See 'git --help'.\n";
}

void GitCommand::RevParse(const SimGit::Place& at) {
  if (words_.back() == "--git-common-dir") {
    answer_.out = at.common + "\n";
  } else if (words_.back() == "--git-dir") {
    answer_.out = at.git_dir + "\n";
  } else {
    const std::string id = git_.Resolve(at, words_.back());
    answer_.exit = id.empty() ? 1 : 0;
    if (!id.empty()) answer_.out = id + "\n";
  }
}

// `rev-list [--ignore-missing] --count|--max-count=1 COMMIT… --not [--exclude=BRANCH] --all`.
void GitCommand::RevList(const SimGit::Place& at) {
  constexpr std::string_view kExclude = "--exclude=refs/heads/";
  std::string excluded;
  std::vector<std::string> from;
  bool counts = false;
  bool all_exist = true;
  for (const std::string& word : words_) {
    if (word.starts_with(kExclude)) excluded = word.substr(kExclude.size());
    if (word == "--count") counts = true;
    if (word == "--ignore-missing") all_exist = false;
    if (word == words_[0] || word.starts_with('-')) continue;
    if (git_.Find(word) != nullptr) {
      from.push_back(word);
    } else if (all_exist) {
      return Fatal("bad object " + word);
    }
  }
  std::vector<std::string> tips{git_.HeadOf(at.git_dir, at.common)};
  for (const auto& [branch, id] : git_.Branches(at.common)) {
    if (branch != excluded) tips.push_back(id);
  }
  const auto not_these = git_.Ancestry(std::move(tips));
  auto own = git_.Ancestry(std::move(from));
  std::erase_if(own, [&](const std::string& id) {
    return std::binary_search(not_these.begin(), not_these.end(), id);
  });
  answer_.out = counts ? std::to_string(own.size()) + "\n" : own.empty() ? "" : own[0] + "\n";
}

// git waits for this lock, and for no other (core.packedRefsTimeout).
void GitCommand::LockPacked(const std::string& packed, const std::string& file,
                            const std::string& ref, int tries) {
  if (tries > 1 && disk_.Exists(packed + ".lock")) {
    steps_.push_front([=, this] { LockPacked(packed, file, ref, tries - 1); });
  } else if (!Lock(packed, ref, 1)) {
    Unlock(file);
  }
}

// `update-ref -d REF [OLD]`.
void GitCommand::UpdateRef(const SimGit::Place& at) {
  const std::string& ref = words_[2];
  const std::string file = at.common + "/" + ref;
  const std::string packed = at.common + "/packed-refs";
  if (!Lock(file, ref, 1))
    return;  // first of all: what is said of a ref is true as long as it is held
  const std::string is = git_.Resolve(at, ref);
  const std::string old = words_.size() > 3 ? words_[3] : is;
  if (is != old) {
    Unlock(file);
    return Fatal("cannot lock ref '" + ref + "': " +
                     (is.empty() ? "unable to resolve reference '" + ref + "'"
                                 : "is at " + is + " but expected " + old),
                 1);
  }
  Then([this, file, packed, ref] { LockPacked(packed, file, ref, kTriesOfPackedRefs); });
  Then([this, file] { disk_.Erase(file); });
  Then([this, file, packed] {
    Unlock(packed);
    Unlock(file);
  });
}

void GitCommand::Worktree(const SimGit::Place& at) {
  const std::string& what = words_[1];
  if (const std::string torn = git_.Torn(at.common); !torn.empty()) {
    Fatal("failed to read worktrees/" + torn + "/commondir: Success");
  } else if (what == "list") {
    answer_.out = git_.ListWorktrees(at.common);
  } else if (what == "add") {
    Add(at);
  } else if (what == "remove") {
    Remove(at);
  }
}

// `add -b BRANCH PATH START`, or `add PATH BRANCH`.
void GitCommand::Add(const SimGit::Place& at) {
  const bool makes = Has("-b");
  const std::string branch = words_[3];
  const std::string path = makes ? words_[4] : words_[2];
  if (makes) {
    answer_.err = "Preparing worktree (new branch '" + branch + "')\n";
    const std::string start = git_.Resolve(at, words_[5]);
    if (start.empty()) return Fatal("not a valid object name: '" + words_[5] + "'", 255);
    if (git_.Branches(common_).contains(branch)) {
      return Fatal("a branch named '" + branch + "' already exists", 255);
    }
    const std::string file = common_ + "/refs/heads/" + branch;
    if (!Lock(file, "refs/heads/" + branch, 255)) return;
    Then([this, file, branch, path, start] {
      Unlock(file);
      disk_.Write(file, start + "\n");
      if (MayAdd(path)) Populate(path, branch, start);
    });
    return;
  }
  const std::string commit = git_.Resolve(at, "refs/heads/" + branch);
  if (commit.empty()) return Fatal("invalid reference: " + branch);
  answer_.err = "Preparing worktree (checking out '" + branch + "')\n";
  for (const GitEntry& entry : git_.Entries(common_)) {
    if (entry.branch != branch) continue;
    return Fatal("'" + branch + "' is already checked out at '" + entry.path + "'");
  }
  if (MayAdd(path)) Populate(path, branch, commit);
}

bool GitCommand::MayAdd(const std::string& path) {
  if (disk_.Exists(path) && !disk_.List(path).empty()) {
    Fatal("'" + path + "' already exists");
    return false;
  }
  for (const GitEntry& entry : git_.Entries(common_)) {
    if (entry.path != path) continue;
    const std::string missing = "'" + path + "' is a missing but ";
    if (entry.locked) {
      Fatal(missing + "locked worktree;\nuse 'add -f -f' to override, or 'unlock' and 'prune' or " +
            "'remove' to clear");
    } else {
      Fatal(missing + "already registered worktree;\nuse 'add -f' to override, or 'prune' or " +
            "'remove' to clear");
    }
    return false;
  }
  return true;
}

void GitCommand::Populate(const std::string& path, const std::string& branch,
                          const std::string& commit) {
  std::string entry = common_ + "/worktrees/" + BaseName(path);
  for (int i = 1; disk_.Exists(entry); ++i) {
    entry = common_ + "/worktrees/" + BaseName(path) + std::to_string(i);
  }
  Then([this, entry, path] {
    junk_entry_ = entry;
    disk_.Write(entry + "/locked", "initializing\n");
    disk_.Write(entry + "/gitdir", path + "/.git\n");
    disk_.Write(entry + "/HEAD", kNoCommit + "\n");
    disk_.Write(entry + "/commondir", "");
  });
  Then([this, entry, path] {
    junk_worktree_ = path;
    disk_.Write(entry + "/commondir", "../..\n");
    disk_.Write(path + "/.git", "gitdir: " + entry + "\n");
  });
  Then([this, entry, branch] { disk_.Write(entry + "/HEAD", "ref: refs/heads/" + branch + "\n"); });
  for (const auto& [name, content] : git_.Find(commit)->tree) {
    Then([this, entry, file = path + "/" + name, text = content] {
      if (!disk_.Exists(entry + "/index.lock")) disk_.Write(entry + "/index.lock", "");
      disk_.Write(file, text);
    });
  }
  Then([this, entry] {
    disk_.Write(entry + "/index", "");
    disk_.Erase(entry + "/index.lock");
  });
  Then([this, entry, commit] {
    junk_entry_.clear();
    junk_worktree_.clear();
    disk_.Erase(entry + "/locked");
    answer_.out = "HEAD is now at " + commit.substr(0, 7) + " one\n";
  });
}

// `remove --force --force -- PATH`.
void GitCommand::Remove(const SimGit::Place&) {
  const std::string path = words_.back();
  const auto entries = git_.Entries(common_);
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&path](const GitEntry& each) { return each.path == path; });
  if (found == entries.end()) return Fatal("'" + path + "' is not a working tree");
  if (disk_.Exists(path) && !disk_.Exists(path + "/.git")) {
    return Fatal("validation failed, cannot remove working tree: '" + path +
                 "/.git' does not exist");
  }
  if (disk_.Exists(path)) {
    Then([this, path] { disk_.Erase(path + "/.git"); });
    std::vector<std::string> files = disk_.Below(path);
    files.insert(files.begin(), path);
    for (auto file = files.rbegin(); file != files.rend(); ++file) {
      Then([this, file = *file] { disk_.Erase(file); });
    }
  }
  std::vector<std::string> parts = disk_.Below(found->directory);
  parts.insert(parts.begin(), found->directory);
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    Then([this, part = *part] { disk_.Erase(part); });
  }
}

}  // namespace oj::sim
