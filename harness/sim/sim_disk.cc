#include "sim/sim_disk.h"

#include <algorithm>
#include <utility>

namespace oj::sim {
namespace {

bool IsBelow(std::string_view path, std::string_view directory) {
  return path.size() > directory.size() && path.starts_with(directory) &&
         path[directory.size()] == '/';
}

std::string Parent(const std::string& path) { return path.substr(0, path.rfind('/')); }

}  // namespace

FileInfo SimDisk::Stat(std::string_view path) const {
  FileInfo info;
  info.device = 1;
  if (const Node* node = Find(path)) {
    info.type = node->type;
    info.inode = node->inode;
    info.size = node->content.size();
    info.modified_ns = node->modified_ms * 1'000'000;
    return info;
  }
  const bool modelled = std::any_of(roots_.begin(), roots_.end(), [&](const std::string& root) {
    return path == root || IsBelow(path, root);
  });
  if (!modelled && path.starts_with('/')) info.type = FileType::kDirectory;
  return info;
}

const SimDisk::Node* SimDisk::Find(std::string_view path) const {
  const auto at = nodes_.find(path);
  return at == nodes_.end() ? nullptr : &at->second;
}

std::vector<std::string> SimDisk::Below(const std::string& directory) const {
  std::vector<std::string> paths;
  const std::string prefix = directory + "/";
  for (auto at = nodes_.lower_bound(prefix); at != nodes_.end() && at->first.starts_with(prefix);
       ++at) {
    paths.push_back(at->first);
  }
  return paths;
}

std::vector<std::string> SimDisk::List(const std::string& directory) const {
  std::vector<std::string> names;
  for (const std::string& path : Below(directory)) {
    std::string name = path.substr(directory.size() + 1);
    if (name.find('/') == std::string::npos) names.push_back(std::move(name));
  }
  return names;
}

std::string SimDisk::Read(std::string_view file) const {
  const Node* node = Find(file);
  return node == nullptr ? "" : node->content;
}

void SimDisk::Change() {
  if (keeps_) unsynced_.push_back({version_, nodes_});
  ++version_;
}

SimDisk::Node& SimDisk::Put(const std::string& path, FileType type) {
  const bool modelled = std::any_of(roots_.begin(), roots_.end(),
                                    [&](const std::string& root) { return IsBelow(path, root); });
  if (modelled && !Exists(Parent(path))) Put(Parent(path), FileType::kDirectory);
  return nodes_[path] = Node{type, "", ++last_inode_, version_, now_ms_()};
}

void SimDisk::MakeDirectories(const std::string& path) {
  if (Exists(path)) return;
  Change();
  Put(path, FileType::kDirectory);
}

void SimDisk::Write(const std::string& file, std::string content) {
  Change();
  const auto at = nodes_.find(file);
  Node& node = at == nodes_.end() ? Put(file, FileType::kFile) : at->second;
  node.content = std::move(content);
  node.modified_ms = now_ms_();
}

void SimDisk::Rename(const std::string& from, const std::string& to) {
  Change();
  std::vector<std::string> paths = Below(from);
  paths.push_back(from);
  for (const std::string& path : paths) {
    auto node = nodes_.extract(path);
    node.key() = to + path.substr(from.size());
    node.mapped().since = version_;
    nodes_.insert(std::move(node));
  }
  gone_[from] = version_;
}

void SimDisk::Erase(const std::string& path) {
  if (Find(path) == nullptr) return;
  Change();
  for (const std::string& each : Below(path)) nodes_.erase(each);
  nodes_.erase(path);
  gone_[path] = version_;
}

std::uint64_t SimDisk::GoneSince(const std::string& path) const {
  const auto at = gone_.find(path);
  return at == gone_.end() ? 0 : at->second;
}

std::uint64_t SimDisk::LoseUnsynced(std::size_t kept) {
  keeps_ = false;
  std::uint64_t there = version_;
  if (kept < unsynced_.size()) {
    there = unsynced_[kept].version;
    nodes_ = std::move(unsynced_[kept].nodes);
    ++version_;
  }
  unsynced_.clear();
  return there;
}

}  // namespace oj::sim
