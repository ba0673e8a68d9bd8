#include "sim/sim_git.h"

#include <algorithm>
#include <set>
#include <utility>

namespace oj::sim {
namespace {

constexpr std::string_view kRefPrefix = "ref: refs/heads/";
const std::string kNoCommit(40, '0');

std::string Line(std::string text) {
  text.resize(std::min(text.find('\n'), text.size()));
  return text;
}

std::string Parent(const std::string& path) { return path.substr(0, path.rfind('/')); }

// 40 digits that depend on the text alone.
std::string Oid(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  std::string oid;
  while (oid.size() < 40) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    hash ^= oid.size() + 1;
    for (int i = 0; i < 10; ++i) oid += "0123456789abcdef"[hash >> (i * 6) & 15];
  }
  return oid;
}

// As the .gitignore of every repository here has it: "*.log" and ".env".
bool IsIgnored(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return name.ends_with(".log") || name == ".env";
}

}  // namespace

void SimGit::CreateRepository(const std::string& path, const GitTree& tree) {
  const std::string common = CommonDir(path);
  disk_.MakeDirectories(common + "/objects");
  disk_.MakeDirectories(common + "/refs/heads");
  GitTree files = tree;
  files[".gitignore"] = "*.log\n.env\n";
  for (const auto& [name, content] : files) disk_.Write(path + "/" + name, content);
  disk_.Write(common + "/refs/heads/main", AddCommit({}, std::move(files)) + "\n");
  disk_.Write(common + "/HEAD", "ref: refs/heads/main\n");
  disk_.Write(common + "/index", "");
}

void SimGit::AddWorktree(const std::string& repo, const std::string& path,
                         const std::string& branch, std::string start) {
  if (start.empty()) start = HeadOf(CommonDir(repo), CommonDir(repo));
  GitCommand add(*this, {"git", "-C", repo, "worktree", "add", "-b", branch, path, start});
  while (add.Step()) {
  }
}

std::string SimGit::CommitAll(const std::string& worktree) {
  ToolAnswer answer;
  const auto at = Discover(worktree, answer);
  const std::string head = HeadOf(at->git_dir, at->common);
  GitTree tree;
  for (const std::string& path : disk_.Below(worktree)) {
    const std::string name = path.substr(worktree.size() + 1);
    if (name == ".git" || disk_.TypeOf(path) != FileType::kFile) continue;
    if (!IsIgnored(name) || Find(head)->tree.contains(name)) tree[name] = disk_.Read(path);
  }
  const std::string commit = AddCommit({head}, std::move(tree));
  const std::string branch = BranchOf(at->git_dir);
  disk_.Write(branch.empty() ? at->git_dir + "/HEAD" : at->common + "/refs/heads/" + branch,
              commit + "\n");
  return commit;
}

std::string SimGit::AddCommit(std::vector<std::string> parents, GitTree tree) {
  std::string text;
  for (const std::string& parent : parents) text += parent + ";";
  for (const auto& [path, content] : tree) text += path + "=" + content + ";";
  const std::string id = Oid(text);
  commits_[id] = GitCommit{std::move(parents), std::move(tree)};
  return id;
}

const GitCommit* SimGit::Find(const std::string& id) const {
  const auto at = commits_.find(id);
  return at == commits_.end() ? nullptr : &at->second;
}

std::string SimGit::BranchOf(const std::string& git_dir) const {
  const std::string head = Line(disk_.Read(git_dir + "/HEAD"));
  return head.starts_with(kRefPrefix) ? head.substr(kRefPrefix.size()) : "";
}

std::string SimGit::HeadOf(const std::string& git_dir, const std::string& common) const {
  const std::string branch = BranchOf(git_dir);
  std::string id =
      Line(disk_.Read(branch.empty() ? git_dir + "/HEAD" : common + "/refs/heads/" + branch));
  return id.empty() ? kNoCommit : id;
}

std::string SimGit::Resolve(const Place& at, std::string_view revision) const {
  std::string id(revision.substr(0, revision.find("^{")));
  if (id == "HEAD") id = HeadOf(at.git_dir, at.common);
  if (id.starts_with("refs/")) id = Line(disk_.Read(at.common + "/" + id));
  return Find(id) == nullptr ? "" : id;
}

std::map<std::string, std::string> SimGit::Branches(const std::string& common) const {
  std::map<std::string, std::string> branches;
  const std::string heads = common + "/refs/heads";
  for (const std::string& path : disk_.Below(heads)) {
    if (disk_.TypeOf(path) != FileType::kFile || path.ends_with(".lock")) continue;
    branches[path.substr(heads.size() + 1)] = Line(disk_.Read(path));
  }
  return branches;
}

std::string SimGit::Torn(const std::string& common) const {
  for (const std::string& name : disk_.List(common + "/worktrees")) {
    const std::string entry = common + "/worktrees/" + name;
    const bool known = !Line(disk_.Read(entry + "/gitdir")).empty();
    const bool torn =
        disk_.Exists(entry + "/commondir") && disk_.Read(entry + "/commondir").empty();
    if (known && torn) return name;
  }
  return "";
}

std::vector<GitEntry> SimGit::Entries(const std::string& common) const {
  std::vector<GitEntry> entries;
  for (const std::string& name : disk_.List(common + "/worktrees")) {
    GitEntry entry;
    entry.directory = common + "/worktrees/" + name;
    const std::string link = Line(disk_.Read(entry.directory + "/gitdir"));
    if (link.empty()) continue;
    entry.path = Parent(link);
    entry.head = HeadOf(entry.directory, common);
    entry.branch = BranchOf(entry.directory);
    if (disk_.Exists(entry.directory + "/locked")) {
      entry.locked = Line(disk_.Read(entry.directory + "/locked"));
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::vector<std::string> SimGit::Ancestry(std::vector<std::string> from) const {
  std::set<std::string> seen;
  while (!from.empty()) {
    const std::string id = std::move(from.back());
    from.pop_back();
    const GitCommit* commit = Find(id);
    if (commit == nullptr || !seen.insert(id).second) continue;
    from.insert(from.end(), commit->parents.begin(), commit->parents.end());
  }
  return {seen.begin(), seen.end()};
}

std::vector<std::string> SimGit::Reachable(const std::string& common) const {
  std::vector<std::string> tips;
  for (const auto& [branch, id] : Branches(common)) tips.push_back(id);
  for (const GitEntry& entry : Entries(common)) tips.push_back(entry.head);
  return Ancestry(std::move(tips));
}

bool SimGit::IsReachable(const std::string& common, const std::string& commit) const {
  const auto all = Reachable(common);
  return std::binary_search(all.begin(), all.end(), commit);
}

bool SimGit::HasContent(const std::string& common, const std::string& content) const {
  const auto all = Reachable(common);
  return std::any_of(all.begin(), all.end(), [&](const std::string& id) {
    const GitTree& tree = Find(id)->tree;
    return std::any_of(tree.begin(), tree.end(),
                       [&content](const auto& file) { return file.second == content; });
  });
}

std::optional<SimGit::Place> SimGit::Discover(const std::string& directory,
                                              ToolAnswer& answer) const {
  const auto fail = [&answer](const std::string& what) {
    answer.exit = 128;
    answer.err += "fatal: " + what + "\n";
    return std::nullopt;
  };
  if (disk_.TypeOf(directory) != FileType::kDirectory) {
    return fail("cannot change to '" + directory + "': No such file or directory");
  }
  for (std::string at = directory; !at.empty(); at = Parent(at)) {
    const std::string link = at + "/.git";
    if (const SimDisk::Node* node = disk_.Find(link)) {
      if (node->type == FileType::kDirectory) return Place{link, link, at};
      const std::string git_dir = Line(node->content).substr(std::string_view("gitdir: ").size());
      if (disk_.Find(git_dir + "/HEAD") == nullptr) return fail("not a git repository: " + git_dir);
      return Place{git_dir, Parent(Parent(git_dir)), at};
    }
    if (disk_.Find(at + "/HEAD") != nullptr && disk_.Find(at + "/refs") != nullptr) {
      return Place{at, at, ""};
    }
  }
  return fail("not a git repository (or any of the parent directories): .git");
}

bool SimGit::HasHead(const std::string& worktree) const {
  ToolAnswer answer;
  const auto at = Discover(worktree, answer);
  return at && Find(HeadOf(at->git_dir, at->common)) != nullptr;
}

// `status --porcelain=v2 --branch -z --untracked-files=all --ignored=matching`.
std::string SimGit::Status(const Place& at) const {
  const std::string head = HeadOf(at.git_dir, at.common);
  const std::string branch = BranchOf(at.git_dir);
  const GitCommit* commit = Find(head);
  const GitTree none;
  const GitTree& tree = commit == nullptr ? none : commit->tree;
  const bool index = disk_.Exists(at.git_dir + "/index");
  const std::string conflict = disk_.Read(at.git_dir + "/index");  // a path in conflict, or empty
  std::string out = "# branch.oid " + (commit == nullptr ? "(initial)" : head) + '\0';
  out += "# branch.head " + (branch.empty() ? "(detached)" : branch) + '\0';
  for (const auto& [path, content] : tree) {
    const std::string oid = Oid(content);
    const std::string file = at.worktree + "/" + path;
    if (path == conflict) {
      out += "u UU N... 100644 100644 100644 100644 " + oid + " " + oid + " " + oid;
    } else if (!index) {
      out += "1 D. N... 100644 000000 000000 " + oid + " " + kNoCommit;
    } else if (!disk_.Exists(file)) {
      out += "1 .D N... 100644 100644 000000 " + oid + " " + oid;
    } else if (disk_.Read(file) != content) {
      out += "1 .M N... 100644 100644 100644 " + oid + " " + oid;
    } else {
      continue;
    }
    out += " " + path + '\0';
  }
  std::string ignored;
  for (const std::string& path : disk_.Below(at.worktree)) {
    const std::string name = path.substr(at.worktree.size() + 1);
    const bool known =
        name == ".git" || name.starts_with(".git/") || (index && tree.contains(name));
    if (known || disk_.TypeOf(path) != FileType::kFile) continue;
    (IsIgnored(name) ? ignored : out) += (IsIgnored(name) ? "! " : "? ") + name + '\0';
  }
  return out + ignored;
}

// `ls-files -v --stage -z`: the index, in which no file is hidden from git.
std::string SimGit::ListFiles(const Place& at) const {
  const GitCommit* commit = Find(HeadOf(at.git_dir, at.common));
  const bool index = disk_.Exists(at.git_dir + "/index");
  std::string out;
  if (commit == nullptr || !index) return out;
  const std::string conflict = disk_.Read(at.git_dir + "/index");
  for (const auto& [path, content] : commit->tree) {
    const std::string file = " 100644 " + Oid(content) + " ";
    if (path != conflict) {
      out += "H" + file + "0\t" + path + '\0';
      continue;
    }
    for (const char* stage : {"1", "2", "3"}) out += "M" + file + stage + "\t" + path + '\0';
  }
  return out;
}

// `worktree list --porcelain -z`.
std::string SimGit::ListWorktrees(const std::string& common) const {
  const auto show = [this](const GitEntry& entry, bool main) {
    std::string out = "worktree " + entry.path + '\0' + "HEAD " + entry.head + '\0';
    out += (entry.branch.empty() ? "detached" : "branch refs/heads/" + entry.branch) + '\0';
    if (entry.locked) out += "locked" + (entry.locked->empty() ? "" : " " + *entry.locked) + '\0';
    if (!main && !entry.locked && !disk_.Exists(entry.path + "/.git")) {
      out += std::string("prunable gitdir file points to non-existent location") + '\0';
    }
    return out + '\0';
  };
  GitEntry main{common, Parent(common), HeadOf(common, common), BranchOf(common), std::nullopt};
  std::string out = show(main, true);
  for (const GitEntry& entry : Entries(common)) out += show(entry, false);
  return out;
}

}  // namespace oj::sim
