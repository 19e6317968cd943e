<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="vi" sourcelanguage="en">
<context>
    <name>CloseDialog</name>
    <message numerus="yes">
        <source>%n upload(s) still running</source>
        <translation>
            <numerusform>Còn %n lượt tải lên đang chạy</numerusform>
        </translation>
    </message>
    <message>
        <source>Do not close</source>
        <translation>Không đóng</translation>
    </message>
    <message>
        <source>Keep uploading in the background</source>
        <translation>Tiếp tục tải lên ở nền</translation>
    </message>
    <message>
        <source>Keep uploading in the background, or pause? What is paused goes on when you open LakeDrop again and press Resume. Nothing is lost either way.</source>
        <translation>Tiếp tục tải lên ở nền hay tạm dừng? Phần tạm dừng sẽ chạy tiếp khi bạn mở lại LakeDrop và bấm Tiếp tục. Cách nào cũng không mất gì.</translation>
    </message>
    <message>
        <source>Pause and close</source>
        <translation>Tạm dừng và đóng</translation>
    </message>
</context>
<context>
    <name>ConnectionChoice</name>
    <message>
        <source>Connection</source>
        <translation>Kết nối</translation>
    </message>
</context>
<context>
    <name>ConnectionForm</name>
    <message>
        <source>A name has letters, digits, spaces, &apos;.&apos;, &apos;-&apos; or &apos;_&apos;, at most 64; “local” is taken.</source>
        <translation>Tên gồm chữ, số, dấu cách, &apos;.&apos;, &apos;-&apos; hoặc &apos;_&apos;, tối đa 64 ký tự; “local” đã được dùng.</translation>
    </message>
    <message>
        <source>API key</source>
        <translation>Khóa API</translation>
    </message>
    <message>
        <source>Address</source>
        <translation>Địa chỉ</translation>
    </message>
    <message>
        <source>Allow unencrypted http for this connection</source>
        <translation>Cho phép http không mã hóa với kết nối này</translation>
    </message>
    <message>
        <source>Everybody on the way can read the key and the data.</source>
        <translation>Ai ở trên đường truyền cũng đọc được khóa và dữ liệu.</translation>
    </message>
    <message>
        <source>Keep the key for this session only</source>
        <translation>Chỉ giữ khóa trong phiên này</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Tên</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Xóa</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>Lưu</translation>
    </message>
    <message>
        <source>Save puts the key of this session into the keyring.</source>
        <translation>Lưu sẽ đưa khóa của phiên này vào kho khóa.</translation>
    </message>
    <message>
        <source>Save takes the stored key out of the keyring; it is forgotten when LakeDrop ends.</source>
        <translation>Lưu sẽ lấy khóa đã lưu ra khỏi kho khóa; khóa sẽ bị quên khi LakeDrop kết thúc.</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>Hiện</translation>
    </message>
    <message>
        <source>Show the API key</source>
        <translation>Hiện khóa API</translation>
    </message>
    <message>
        <source>Test connection</source>
        <translation>Thử kết nối</translation>
    </message>
    <message>
        <source>The address looks like https://client.example.com, without user name, password or query.</source>
        <translation>Địa chỉ có dạng https://client.example.com, không kèm tên người dùng, mật khẩu hay truy vấn.</translation>
    </message>
    <message>
        <source>The stored key stays with its own server, {0}. Type the API key for this one.</source>
        <translation>Khóa đã lưu chỉ dành cho máy chủ của nó, {0}. Hãy nhập khóa API cho máy chủ này.</translation>
    </message>
    <message>
        <source>This address is not encrypted. Use https://, or allow unencrypted http.</source>
        <translation>Địa chỉ này không mã hóa. Hãy dùng https://, hoặc cho phép http không mã hóa.</translation>
    </message>
    <message>
        <source>This machine has no keyring: the key is forgotten when LakeDrop ends.</source>
        <translation>Máy này không có kho khóa: khóa sẽ bị quên khi LakeDrop kết thúc.</translation>
    </message>
    <message>
        <source>Use for a new upload</source>
        <translation>Dùng cho lần tải lên mới</translation>
    </message>
    <message>
        <source>unchanged</source>
        <translation>giữ nguyên</translation>
    </message>
</context>
<context>
    <name>ConnectionList</name>
    <message>
        <source>Connections</source>
        <translation>Kết nối</translation>
    </message>
    <message>
        <source>Local lake</source>
        <translation>Hồ trên máy này</translation>
    </message>
    <message>
        <source>key for this session</source>
        <translation>khóa trong phiên này</translation>
    </message>
    <message>
        <source>key in the keyring</source>
        <translation>khóa trong kho khóa</translation>
    </message>
    <message>
        <source>no key</source>
        <translation>chưa có khóa</translation>
    </message>
    <message>
        <source>on this machine</source>
        <translation>trên máy này</translation>
    </message>
</context>
<context>
    <name>ConnectionsPage</name>
    <message numerus="yes">
        <source>%n upload(s) still use it and would stop.</source>
        <translation>
            <numerusform>Còn %n lượt tải lên đang dùng và sẽ dừng lại.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n upload(s) under way stay with the server before, and need its key again.</source>
        <translation>
            <numerusform>%n lần tải lên đang chạy vẫn ở máy chủ trước đó và cần lại khóa của máy chủ ấy.</numerusform>
        </translation>
    </message>
    <message>
        <source>A LakeDrop server, version {0}; address and key fit.</source>
        <translation>Máy chủ LakeDrop, phiên bản {0}; địa chỉ và khóa đều đúng.</translation>
    </message>
    <message>
        <source>A server with the five calls of the upload API; address and key fit.</source>
        <translation>Máy chủ có năm lệnh của API tải lên; địa chỉ và khóa đều đúng.</translation>
    </message>
    <message>
        <source>Add connection</source>
        <translation>Thêm kết nối</translation>
    </message>
    <message>
        <source>Connections</source>
        <translation>Kết nối</translation>
    </message>
    <message>
        <source>Do not save</source>
        <translation>Không lưu</translation>
    </message>
    <message>
        <source>Its address and its key are forgotten. What was uploaded stays there.</source>
        <translation>Địa chỉ và khóa sẽ bị quên. Những gì đã tải lên vẫn ở đó.</translation>
    </message>
    <message>
        <source>Keep it</source>
        <translation>Giữ lại</translation>
    </message>
    <message>
        <source>Leave without saving?</source>
        <translation>Rời đi mà không lưu?</translation>
    </message>
    <message>
        <source>Remove it</source>
        <translation>Xóa đi</translation>
    </message>
    <message>
        <source>Remove “{0}”?</source>
        <translation>Xóa “{0}”?</translation>
    </message>
    <message>
        <source>Save adds it again, with the key that you type.</source>
        <translation>Lưu sẽ thêm lại kết nối này, với khóa bạn nhập.</translation>
    </message>
    <message>
        <source>Saved</source>
        <translation>Đã lưu</translation>
    </message>
    <message>
        <source>Saving…</source>
        <translation>Đang lưu…</translation>
    </message>
    <message>
        <source>Stay here</source>
        <translation>Ở lại</translation>
    </message>
    <message>
        <source>Testing…</source>
        <translation>Đang thử…</translation>
    </message>
    <message>
        <source>The connection works</source>
        <translation>Kết nối hoạt động tốt</translation>
    </message>
    <message>
        <source>What you typed for this connection would be lost.</source>
        <translation>Những gì bạn vừa nhập cho kết nối này sẽ mất.</translation>
    </message>
    <message>
        <source>“{0}” was removed meanwhile</source>
        <translation>“{0}” đã bị xóa trong lúc đó</translation>
    </message>
</context>
<context>
    <name>DropZone</name>
    <message>
        <source>Add files…</source>
        <translation>Thêm tệp…</translation>
    </message>
    <message>
        <source>Add folder…</source>
        <translation>Thêm thư mục…</translation>
    </message>
    <message>
        <source>Drop files or folders here</source>
        <translation>Thả tệp hoặc thư mục vào đây</translation>
    </message>
    <message>
        <source>Drop or paste files and folders here</source>
        <translation>Thả hoặc dán tệp và thư mục vào đây</translation>
    </message>
    <message>
        <source>They go into the lake on this machine; no account is needed. Nothing is uploaded before you press Start.</source>
        <translation>Chúng sẽ vào hồ trên máy này, không cần tài khoản. Chưa tải gì lên trước khi bạn bấm Bắt đầu.</translation>
    </message>
</context>
<context>
    <name>ErrorPresenter</name>
    <message>
        <source>Another program has locked the file</source>
        <translation>Tệp đang bị một chương trình khác khóa</translation>
    </message>
    <message>
        <source>Check the network and the connection&apos;s address, then try again.</source>
        <translation>Hãy kiểm tra mạng và địa chỉ của kết nối rồi thử lại.</translation>
    </message>
    <message>
        <source>Close it in that program, then try again.</source>
        <translation>Hãy đóng tệp trong chương trình đó rồi thử lại.</translation>
    </message>
    <message>
        <source>Is it still there, and may you read it? Then try again.</source>
        <translation>Tệp còn đó không, bạn có quyền đọc không? Sau đó hãy thử lại.</translation>
    </message>
    <message>
        <source>Is the address of the connection the right one?</source>
        <translation>Địa chỉ của kết nối đã đúng chưa?</translation>
    </message>
    <message>
        <source>Is the disk full? Make space, then try again.</source>
        <translation>Đĩa đầy chăng? Hãy dọn chỗ rồi thử lại.</translation>
    </message>
    <message>
        <source>It takes no more right now. Try again in a while.</source>
        <translation>Hiện máy chủ không nhận thêm. Hãy thử lại sau ít lâu.</translation>
    </message>
    <message>
        <source>Its log has the details.</source>
        <translation>Chi tiết nằm trong nhật ký.</translation>
    </message>
    <message>
        <source>LakeDrop goes on trying.</source>
        <translation>LakeDrop vẫn tiếp tục thử.</translation>
    </message>
    <message>
        <source>LakeDrop has no place for its things</source>
        <translation>LakeDrop không có chỗ để dữ liệu của mình</translation>
    </message>
    <message>
        <source>LakeDrop met a fault of its own</source>
        <translation>LakeDrop gặp lỗi của chính nó</translation>
    </message>
    <message>
        <source>LakeDrop starts it again; the queue is kept.</source>
        <translation>LakeDrop khởi động lại nó; hàng đợi được giữ nguyên.</translation>
    </message>
    <message>
        <source>Nothing came for too long. Upload it again as a new job.</source>
        <translation>Quá lâu không có gì được gửi. Hãy tải lên lại thành một lượt mới.</translation>
    </message>
    <message>
        <source>Rename the file, or leave it out.</source>
        <translation>Hãy đổi tên tệp, hoặc bỏ tệp ra.</translation>
    </message>
    <message>
        <source>See to it on the Connections page, then try again.</source>
        <translation>Hãy xem lại ở trang Kết nối rồi thử lại.</translation>
    </message>
    <message>
        <source>Somebody gave it up on the server. Upload it again as a new job.</source>
        <translation>Có người đã bỏ lượt này trên máy chủ. Hãy tải lên lại thành một lượt mới.</translation>
    </message>
    <message>
        <source>Space must be made there first; then go on.</source>
        <translation>Phải dọn chỗ ở đó trước đã, rồi hãy tiếp tục.</translation>
    </message>
    <message>
        <source>That cannot be done</source>
        <translation>Không làm được việc này</translation>
    </message>
    <message>
        <source>The API key is not accepted</source>
        <translation>Khóa API không được chấp nhận</translation>
    </message>
    <message>
        <source>The connection cannot be used</source>
        <translation>Không dùng được kết nối</translation>
    </message>
    <message>
        <source>The file cannot be read</source>
        <translation>Không đọc được tệp</translation>
    </message>
    <message>
        <source>The file changed while it was read</source>
        <translation>Tệp thay đổi trong khi đang đọc</translation>
    </message>
    <message>
        <source>The local lake does not start</source>
        <translation>Hồ trên máy không khởi động</translation>
    </message>
    <message>
        <source>The server cannot be reached</source>
        <translation>Không tới được máy chủ</translation>
    </message>
    <message>
        <source>The server does not know this sync</source>
        <translation>Máy chủ không biết lượt đồng bộ này</translation>
    </message>
    <message>
        <source>The server does not take this file</source>
        <translation>Máy chủ không nhận tệp này</translation>
    </message>
    <message>
        <source>The server failed</source>
        <translation>Máy chủ bị lỗi</translation>
    </message>
    <message>
        <source>The server has let the sync expire</source>
        <translation>Máy chủ đã để lượt đồng bộ hết hạn</translation>
    </message>
    <message>
        <source>The server has no space left</source>
        <translation>Máy chủ hết chỗ</translation>
    </message>
    <message>
        <source>The server is busy</source>
        <translation>Máy chủ đang bận</translation>
    </message>
    <message>
        <source>The server refused</source>
        <translation>Máy chủ từ chối</translation>
    </message>
    <message>
        <source>The server stored other bytes than were sent</source>
        <translation>Máy chủ lưu khác với những gì đã gửi</translation>
    </message>
    <message>
        <source>The server&apos;s answer makes no sense</source>
        <translation>Câu trả lời của máy chủ không hợp lệ</translation>
    </message>
    <message>
        <source>The sync has already ended</source>
        <translation>Lượt đồng bộ đã kết thúc</translation>
    </message>
    <message>
        <source>The sync was aborted</source>
        <translation>Lượt đồng bộ đã bị hủy bỏ</translation>
    </message>
    <message>
        <source>The upload engine does not start</source>
        <translation>Bộ máy tải lên không khởi động</translation>
    </message>
    <message>
        <source>The upload engine stopped</source>
        <translation>Bộ máy tải lên đã dừng</translation>
    </message>
    <message>
        <source>The upload queue cannot be written</source>
        <translation>Không ghi được hàng đợi tải lên</translation>
    </message>
    <message>
        <source>The upload queue was damaged</source>
        <translation>Hàng đợi tải lên đã bị hỏng</translation>
    </message>
    <message>
        <source>The window cannot be opened</source>
        <translation>Không mở được cửa sổ</translation>
    </message>
    <message>
        <source>Try again once nothing writes to it any more.</source>
        <translation>Hãy thử lại khi không còn gì ghi vào tệp.</translation>
    </message>
    <message>
        <source>Try again; if it stays so, tell whoever runs the server.</source>
        <translation>Hãy thử lại; nếu vẫn vậy, hãy báo người quản lý máy chủ.</translation>
    </message>
    <message>
        <source>Type the right key on the Connections page, then try again.</source>
        <translation>Hãy nhập đúng khóa ở trang Kết nối rồi thử lại.</translation>
    </message>
    <message>
        <source>Upload as a new job.</source>
        <translation>Hãy tải lên thành lượt mới.</translation>
    </message>
    <message>
        <source>Upload what is missing as a new job.</source>
        <translation>Hãy tải phần còn thiếu lên thành lượt mới.</translation>
    </message>
    <message>
        <source>What was dropped is not there any more</source>
        <translation>Những gì đã thả vào không còn ở đó nữa</translation>
    </message>
</context>
<context>
    <name>FileCells</name>
    <message>
        <source>Duration</source>
        <translation>Thời lượng</translation>
    </message>
    <message>
        <source>File</source>
        <translation>Tệp</translation>
    </message>
    <message>
        <source>Message</source>
        <translation>Thông báo</translation>
    </message>
    <message>
        <source>Started</source>
        <translation>Bắt đầu lúc</translation>
    </message>
    <message>
        <source>Status</source>
        <translation>Trạng thái</translation>
    </message>
    <message>
        <source>Sync</source>
        <translation>Đồng bộ</translation>
    </message>
</context>
<context>
    <name>Formats</name>
    <message numerus="yes">
        <source>%n file(s)</source>
        <translation>
            <numerusform>%n tệp</numerusform>
        </translation>
    </message>
    <message>
        <source>{0} %</source>
        <translation>{0} %</translation>
    </message>
    <message>
        <source>{0} d {1} h</source>
        <translation>{0} ngày {1} giờ</translation>
    </message>
    <message>
        <source>{0} files</source>
        <translation>{0} tệp</translation>
    </message>
    <message>
        <source>{0} h {1} min</source>
        <translation>{0} giờ {1} phút</translation>
    </message>
    <message>
        <source>{0} min {1} s</source>
        <translation>{0} phút {1} giây</translation>
    </message>
    <message>
        <source>{0} s</source>
        <translation>{0} giây</translation>
    </message>
    <message>
        <source>{0}/s</source>
        <translation>{0}/s</translation>
    </message>
</context>
<context>
    <name>HistoryPage</name>
    <message>
        <source>All files</source>
        <translation>Tất cả tệp</translation>
    </message>
    <message>
        <source>Every try to upload a file is listed here, with what became of it.</source>
        <translation>Mọi lần tải một tệp lên đều được liệt kê ở đây, kèm kết quả.</translation>
    </message>
    <message>
        <source>File history</source>
        <translation>Lịch sử tệp</translation>
    </message>
    <message>
        <source>Files of this sync</source>
        <translation>Tệp của lượt đồng bộ này</translation>
    </message>
    <message>
        <source>Files of “{0}”</source>
        <translation>Tệp của “{0}”</translation>
    </message>
    <message>
        <source>Looking…</source>
        <translation>Đang tìm…</translation>
    </message>
    <message>
        <source>No file was sent to this server yet</source>
        <translation>Chưa có tệp nào được gửi tới máy chủ này</translation>
    </message>
    <message>
        <source>Nothing to show</source>
        <translation>Không có gì để hiện</translation>
    </message>
    <message>
        <source>This sync has no files</source>
        <translation>Lượt đồng bộ này không có tệp nào</translation>
    </message>
</context>
<context>
    <name>JobFooter</name>
    <message>
        <source>Cancel</source>
        <translation>Hủy</translation>
    </message>
    <message>
        <source>Finish without them</source>
        <translation>Kết thúc không có chúng</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Tạm dừng</translation>
    </message>
    <message>
        <source>Progress of this upload</source>
        <translation>Tiến độ của lượt tải lên này</translation>
    </message>
    <message>
        <source>Remove selected</source>
        <translation>Bỏ mục đã chọn</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Tiếp tục</translation>
    </message>
    <message>
        <source>Retry</source>
        <translation>Thử lại</translation>
    </message>
    <message>
        <source>Start</source>
        <translation>Bắt đầu</translation>
    </message>
    <message>
        <source>Start this upload (Ctrl+Enter)</source>
        <translation>Bắt đầu lượt tải lên này (Ctrl+Enter)</translation>
    </message>
    <message>
        <source>{0} left out</source>
        <translation>{0} mục bị bỏ ra</translation>
    </message>
    <message>
        <source>{0} · {1} · {2} left</source>
        <translation>{0} · {1} · còn {2}</translation>
    </message>
</context>
<context>
    <name>JobForm</name>
    <message>
        <source>A folder of the lake such as /data/sales: it begins with / and has no // or ..</source>
        <translation>Một thư mục của hồ như /data/sales: bắt đầu bằng / và không có // hay ..</translation>
    </message>
    <message>
        <source>Connection</source>
        <translation>Kết nối</translation>
    </message>
    <message>
        <source>Contents only</source>
        <translation>Chỉ lấy nội dung</translation>
    </message>
    <message>
        <source>Destination</source>
        <translation>Nơi đến</translation>
    </message>
    <message>
        <source>Destination folder on the lake</source>
        <translation>Thư mục đến trên hồ</translation>
    </message>
    <message>
        <source>Files are added. What is there stays; a file of the same name is replaced.</source>
        <translation>Tệp được thêm vào. Dữ liệu đang có giữ nguyên; tệp trùng tên bị thay thế.</translation>
    </message>
    <message>
        <source>Leaves out the dropped folder&apos;s own name on the lake.</source>
        <translation>Bỏ tên của chính thư mục được thả khi lên hồ.</translation>
    </message>
    <message>
        <source>Manage connections…</source>
        <translation>Quản lý kết nối…</translation>
    </message>
    <message>
        <source>Mode</source>
        <translation>Chế độ</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Tên</translation>
    </message>
    <message>
        <source>Name of the sync</source>
        <translation>Tên lượt đồng bộ</translation>
    </message>
    <message>
        <source>Replaces everything at the destination once all files are there. Whether the old data can be had back is up to the server.</source>
        <translation>Thay toàn bộ dữ liệu ở nơi đến khi mọi tệp đã tới. Có lấy lại được dữ liệu cũ hay không là tùy máy chủ.</translation>
    </message>
    <message>
        <source>Replaces everything at the destination. The old data moves to the trash once all files are there.</source>
        <translation>Thay toàn bộ dữ liệu ở nơi đến. Dữ liệu cũ vào thùng rác khi mọi tệp đã tới.</translation>
    </message>
</context>
<context>
    <name>JobList</name>
    <message>
        <source>Remove from this list</source>
        <translation>Xóa khỏi danh sách</translation>
    </message>
    <message>
        <source>Uploads</source>
        <translation>Các lượt tải lên</translation>
    </message>
</context>
<context>
    <name>JobNotices</name>
    <message>
        <source>Files that had arrived stay at {0}.</source>
        <translation>Các tệp đã tới vẫn ở {0}.</translation>
    </message>
    <message>
        <source>Finished</source>
        <translation>Hoàn tất</translation>
    </message>
    <message>
        <source>New upload</source>
        <translation>Lượt tải lên mới</translation>
    </message>
    <message>
        <source>Nothing is uploaded until you press Resume. Nothing is lost.</source>
        <translation>Không tải gì lên cho tới khi bạn bấm Tiếp tục. Không mất gì cả.</translation>
    </message>
    <message>
        <source>Nothing was sent.</source>
        <translation>Chưa gửi gì.</translation>
    </message>
    <message>
        <source>Open connections</source>
        <translation>Mở trang Kết nối</translation>
    </message>
    <message>
        <source>Open folder</source>
        <translation>Mở thư mục</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>Tạm dừng</translation>
    </message>
    <message>
        <source>See to them and press Retry, or finish this upload without them.</source>
        <translation>Hãy xem lại các tệp rồi bấm Thử lại, hoặc kết thúc mà không có chúng.</translation>
    </message>
    <message>
        <source>Show failed</source>
        <translation>Xem tệp lỗi</translation>
    </message>
    <message>
        <source>So the full sync was not ended, and the data that is there stays as it was. See to the files, then press Retry.</source>
        <translation>Vì vậy lượt đồng bộ toàn bộ chưa kết thúc và dữ liệu đang có giữ nguyên. Hãy xem lại các tệp rồi bấm Thử lại.</translation>
    </message>
    <message>
        <source>The data at {0} stays as it was.</source>
        <translation>Dữ liệu ở {0} giữ nguyên.</translation>
    </message>
    <message>
        <source>This upload stopped</source>
        <translation>Lượt tải lên này đã dừng</translation>
    </message>
    <message>
        <source>This upload was cancelled</source>
        <translation>Lượt tải lên này đã bị hủy</translation>
    </message>
</context>
<context>
    <name>JobWords</name>
    <message>
        <source>Looking for files…</source>
        <translation>Đang tìm tệp…</translation>
    </message>
    <message>
        <source>New upload</source>
        <translation>Lượt tải lên mới</translation>
    </message>
    <message>
        <source>{0} did not arrive</source>
        <translation>{0} không tới nơi</translation>
    </message>
    <message>
        <source>{0} failed</source>
        <translation>{0} tệp lỗi</translation>
    </message>
    <message>
        <source>{0} in {1}</source>
        <translation>{0} trong {1}</translation>
    </message>
    <message>
        <source>{0} of {1}</source>
        <translation>{0} / {1}</translation>
    </message>
    <message>
        <source>{0}, {1} uploaded</source>
        <translation>Đã tải lên {0}, {1}</translation>
    </message>
    <message>
        <source>{0}. The server proved that it holds every byte.</source>
        <translation>{0}. Máy chủ đã chứng minh nó giữ đủ từng byte.</translation>
    </message>
    <message>
        <source>{0}. This server acknowledged every file; it tells no digests.</source>
        <translation>{0}. Máy chủ này đã xác nhận mọi tệp; nó không cho biết mã băm.</translation>
    </message>
</context>
<context>
    <name>JobsModel</name>
    <message>
        <source>Duration</source>
        <translation>Thời lượng</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>Lỗi</translation>
    </message>
    <message>
        <source>Files</source>
        <translation>Tệp</translation>
    </message>
    <message>
        <source>Mode</source>
        <translation>Chế độ</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Tên</translation>
    </message>
    <message>
        <source>Path</source>
        <translation>Đường dẫn</translation>
    </message>
    <message>
        <source>Started</source>
        <translation>Bắt đầu lúc</translation>
    </message>
    <message>
        <source>Status</source>
        <translation>Trạng thái</translation>
    </message>
    <message>
        <source>Sync</source>
        <translation>Đồng bộ</translation>
    </message>
</context>
<context>
    <name>JobsPage</name>
    <message>
        <source>Copy lake path</source>
        <translation>Chép đường dẫn trên hồ</translation>
    </message>
    <message>
        <source>Copy name</source>
        <translation>Chép tên</translation>
    </message>
    <message>
        <source>Every upload becomes a sync job; it is listed here as soon as it starts.</source>
        <translation>Mỗi lượt tải lên thành một lượt đồng bộ; nó hiện ở đây ngay khi bắt đầu.</translation>
    </message>
    <message>
        <source>No sync on this server yet</source>
        <translation>Máy chủ này chưa có lượt đồng bộ nào</translation>
    </message>
    <message>
        <source>Show files</source>
        <translation>Xem tệp</translation>
    </message>
    <message>
        <source>Sync jobs</source>
        <translation>Lượt đồng bộ</translation>
    </message>
</context>
<context>
    <name>LocalLakePanel</name>
    <message>
        <source>Files uploaded here stay on this machine. It needs no account and no key.</source>
        <translation>Tệp tải lên đây nằm lại trên máy này. Không cần tài khoản, không cần khóa.</translation>
    </message>
    <message>
        <source>Local lake</source>
        <translation>Hồ trên máy này</translation>
    </message>
    <message>
        <source>Open folder</source>
        <translation>Mở thư mục</translation>
    </message>
    <message>
        <source>Use for a new upload</source>
        <translation>Dùng cho lần tải lên mới</translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>Close</source>
        <translation>Đóng</translation>
    </message>
    <message>
        <source>Connections</source>
        <translation>Kết nối</translation>
    </message>
    <message>
        <source>File history</source>
        <translation>Lịch sử tệp</translation>
    </message>
    <message>
        <source>Sync jobs</source>
        <translation>Lượt đồng bộ</translation>
    </message>
    <message>
        <source>Upload</source>
        <translation>Tải lên</translation>
    </message>
</context>
<context>
    <name>QueueModel</name>
    <message>
        <source>Folder</source>
        <translation>Thư mục</translation>
    </message>
    <message>
        <source>Lake path</source>
        <translation>Đường dẫn trên hồ</translation>
    </message>
    <message>
        <source>Message</source>
        <translation>Thông báo</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Tên</translation>
    </message>
    <message>
        <source>Progress</source>
        <translation>Tiến độ</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Dung lượng</translation>
    </message>
    <message>
        <source>Speed</source>
        <translation>Tốc độ</translation>
    </message>
    <message>
        <source>State</source>
        <translation>Trạng thái</translation>
    </message>
    <message>
        <source>not uploaded</source>
        <translation>chưa tải lên</translation>
    </message>
</context>
<context>
    <name>QueueTable</name>
    <message>
        <source>Copy lake path</source>
        <translation>Chép đường dẫn trên hồ</translation>
    </message>
    <message>
        <source>Copy message</source>
        <translation>Chép thông báo</translation>
    </message>
    <message>
        <source>Files of this upload</source>
        <translation>Tệp của lượt tải lên này</translation>
    </message>
    <message>
        <source>Remove from this upload</source>
        <translation>Bỏ khỏi lượt tải lên này</translation>
    </message>
    <message>
        <source>Show in file manager</source>
        <translation>Hiện trong trình quản lý tệp</translation>
    </message>
</context>
<context>
    <name>Sentences</name>
    <message>
        <source>&quot;{name}&quot; goes to {now} by now, and its key is for that server alone. This was for {before}: give its API key again.</source>
        <translation>“{name}” nay trỏ tới {now}, và khóa của nó chỉ dành cho máy chủ đó. Việc này dành cho {before}: hãy nhập lại khóa API của nó.</translation>
    </message>
    <message numerus="yes">
        <source>%n file(s)</source>
        <translation>
            <numerusform>%n tệp</numerusform>
        </translation>
    </message>
    <message>
        <source>Another program has locked the file: {reason}. It will be tried again; close it there.</source>
        <translation>Tệp đang bị một chương trình khác khóa: {reason}. LakeDrop sẽ thử lại; hãy đóng tệp ở chương trình đó.</translation>
    </message>
    <message>
        <source>In the window, choose &quot;this session only&quot; for the key. On the command line, add the connection with --no-key, and set LAKEDROP_API_KEY for the commands that need the key.</source>
        <translation>Trong cửa sổ, hãy chọn “chỉ giữ khóa trong phiên này”. Ở dòng lệnh, hãy thêm kết nối với --no-key, và đặt LAKEDROP_API_KEY cho các lệnh cần khóa.</translation>
    </message>
    <message>
        <source>LakeDrop met a fault of its own; its log has the details. Try again.</source>
        <translation>LakeDrop gặp lỗi của chính nó; nhật ký có chi tiết. Hãy thử lại.</translation>
    </message>
    <message>
        <source>No connection to {host} is possible. Check the address and your network.</source>
        <translation>Không thể kết nối tới {host}. Hãy kiểm tra địa chỉ và mạng của bạn.</translation>
    </message>
    <message>
        <source>No encrypted connection to {host} is possible. Does it speak https there?</source>
        <translation>Không thể kết nối mã hóa tới {host}. Ở đó có dùng https không?</translation>
    </message>
    <message>
        <source>Nothing came for this sync for too long, and the server gave it up. Start a new one.</source>
        <translation>Quá lâu không có gì được gửi cho lượt đồng bộ này nên máy chủ đã bỏ nó. Hãy bắt đầu lượt mới.</translation>
    </message>
    <message>
        <source>Several files would be written to the same place, and only one would stay: {names}. Upload them to different folders.</source>
        <translation>Nhiều tệp sẽ được ghi vào cùng một chỗ và chỉ một tệp còn lại: {names}. Hãy tải chúng lên các thư mục khác nhau.</translation>
    </message>
    <message>
        <source>Several folders have a file named &quot;{name}&quot;, and it cannot be seen whether this server keeps folders apart. Nothing was sent; it needs a consent of its own.</source>
        <translation>Nhiều thư mục có tệp tên “{name}”, và không thể biết máy chủ này có tách riêng các thư mục hay không. Chưa gửi gì cả; cần bạn đồng ý riêng.</translation>
    </message>
    <message>
        <source>The answer of {host} is not one of the upload API: {words}. Is the address of this connection right, and does nothing else answer in its place?</source>
        <translation>Câu trả lời của {host} không phải của API tải lên: “{words}”. Địa chỉ của kết nối này có đúng không, và có gì khác trả lời thay không?</translation>
    </message>
    <message>
        <source>The certificate of {host} is not trusted, so nothing was sent. Check the address, or let SSL_CERT_FILE name the authority that signed it.</source>
        <translation>Chứng chỉ của {host} không được tin cậy nên chưa gửi gì cả. Hãy kiểm tra địa chỉ, hoặc cho SSL_CERT_FILE biết tổ chức đã ký chứng chỉ.</translation>
    </message>
    <message>
        <source>The connection to {host} was cut.</source>
        <translation>Kết nối tới {host} bị cắt.</translation>
    </message>
    <message>
        <source>The data at {destination} would shrink from {before} to {after}, by more than {percent} %. Nothing was sent; it needs a consent of its own.</source>
        <translation>Dữ liệu tại {destination} sẽ giảm từ {before} xuống {after}, hơn {percent} %. Chưa gửi gì; điều này cần một sự đồng ý riêng.</translation>
    </message>
    <message>
        <source>The file became shorter while it was read.</source>
        <translation>Tệp ngắn đi trong lúc đang đọc.</translation>
    </message>
    <message>
        <source>The file cannot be read: {reason}.</source>
        <translation>Không đọc được tệp: {reason}.</translation>
    </message>
    <message>
        <source>The file changed while it was read.</source>
        <translation>Tệp thay đổi trong lúc đang đọc.</translation>
    </message>
    <message>
        <source>The file went away while it was read.</source>
        <translation>Tệp biến mất trong lúc đang đọc.</translation>
    </message>
    <message>
        <source>The file&apos;s size changed while it was sent. It will be read again.</source>
        <translation>Kích thước tệp thay đổi trong lúc gửi. Tệp sẽ được đọc lại.</translation>
    </message>
    <message>
        <source>The folder {path} is gone, or empty by now. Was a disk taken out, or a network folder cut off? Bring it back, then try again: the other files wait, and nothing was ended.</source>
        <translation>Thư mục {path} không còn nữa hoặc đã trống. Có phải ổ đĩa đã bị rút ra, hay thư mục mạng đã mất kết nối? Hãy đưa nó trở lại rồi thử lại: các tệp khác vẫn chờ và chưa có gì được kết thúc.</translation>
    </message>
    <message>
        <source>The key could not be {done}: the system&apos;s keyring failed ({kind}). Unlock it and try again. {way_out}</source>
        <translation>Không thể thực hiện thao tác “{done}” với khóa: kho khóa của hệ thống gặp lỗi ({kind}). Hãy mở khóa kho rồi thử lại. {way_out}</translation>
    </message>
    <message>
        <source>The lake server did not start; its log says why.</source>
        <translation>Máy chủ của hồ không khởi động; nhật ký của nó cho biết lý do.</translation>
    </message>
    <message>
        <source>The name is not valid Unicode, so the lake cannot take it. Rename the file.</source>
        <translation>Tên không phải Unicode hợp lệ nên hồ không nhận được. Hãy đổi tên tệp.</translation>
    </message>
    <message>
        <source>The name of {host} is not known. Check the address and your network.</source>
        <translation>Không tìm thấy tên {host}. Hãy kiểm tra địa chỉ và mạng của bạn.</translation>
    </message>
    <message>
        <source>The old upload queue is kept as {file}, and a new one was begun. Which uploads had not come to their end is not known any more: look at the sync jobs, and add again what is missing.</source>
        <translation>Hàng đợi tải lên cũ được giữ lại thành {file}, và một hàng đợi mới đã được tạo. Không còn biết lần tải lên nào chưa xong: hãy xem các phiên đồng bộ và thêm lại những gì còn thiếu.</translation>
    </message>
    <message>
        <source>The proxy on the way to {host} refused the connection.</source>
        <translation>Máy chủ ủy nhiệm trên đường tới {host} từ chối kết nối.</translation>
    </message>
    <message>
        <source>The server answers the same rows again and again, so its list has no end. Is the address of this connection right?</source>
        <translation>Máy chủ cứ trả lời mãi cùng các hàng, nên danh sách không có điểm cuối. Địa chỉ của kết nối này có đúng không?</translation>
    </message>
    <message>
        <source>The server does not accept the API key of this connection. Give it the right one.</source>
        <translation>Máy chủ không chấp nhận khóa API của kết nối này. Hãy nhập đúng khóa.</translation>
    </message>
    <message>
        <source>The server does not know this sync any more. Start a new one.</source>
        <translation>Máy chủ không còn biết lượt đồng bộ này. Hãy bắt đầu lượt mới.</translation>
    </message>
    <message>
        <source>The server refuses the name of {path} ({reason}), and a full sync never ends without a file. Nothing was sent. Rename it, then start a new upload.</source>
        <translation>Máy chủ từ chối tên của {path} ({reason}), và một lượt đồng bộ toàn bộ không bao giờ kết thúc khi thiếu tệp. Chưa có gì được gửi. Hãy đổi tên, rồi bắt đầu lượt tải lên mới.</translation>
    </message>
    <message>
        <source>The server stored other bytes than were sent.</source>
        <translation>Máy chủ đã lưu dữ liệu khác với dữ liệu được gửi.</translation>
    </message>
    <message>
        <source>The sync has already ended on the server; nothing can be added to it. Start a new one.</source>
        <translation>Lượt đồng bộ đã kết thúc trên máy chủ; không thể thêm gì vào nữa. Hãy bắt đầu lượt mới.</translation>
    </message>
    <message>
        <source>The upload queue cannot be written or read: {reason}. Is the disk full?</source>
        <translation>Không ghi hoặc đọc được hàng đợi tải lên: {reason}. Đĩa có đầy không?</translation>
    </message>
    <message>
        <source>There is a connection &quot;{name}&quot; already. Choose another name.</source>
        <translation>Đã có kết nối “{name}”. Hãy chọn tên khác.</translation>
    </message>
    <message>
        <source>There is no API key for &quot;{label}&quot;. Give it to the connection in the window; or on the command line set LAKEDROP_API_KEY, or store the key with: lakedrop connect add NAME URL (with --replace for one that is there)</source>
        <translation>Chưa có khóa API cho “{label}”. Hãy nhập khóa cho kết nối trong cửa sổ; hoặc ở dòng lệnh đặt LAKEDROP_API_KEY, hoặc lưu khóa bằng: lakedrop connect add TÊN ĐỊA_CHỈ (thêm --replace nếu đã có)</translation>
    </message>
    <message>
        <source>There is no connection &quot;{name}&quot;. See those there are: lakedrop connect list</source>
        <translation>Không có kết nối “{name}”. Xem các kết nối hiện có: lakedrop connect list</translation>
    </message>
    <message>
        <source>There is no file in {names}. A full sync without what was there takes it away at the destination; that needs a consent of its own.</source>
        <translation>Không có tệp nào trong {names}. Đồng bộ toàn bộ mà thiếu những gì từng ở đó sẽ lấy chúng đi khỏi nơi đích; điều này cần một sự đồng ý riêng.</translation>
    </message>
    <message>
        <source>There is no file to upload. Ending this full sync would leave the destination empty; that needs a consent of its own.</source>
        <translation>Không có tệp nào để tải lên. Kết thúc lần đồng bộ toàn bộ này sẽ để trống nơi đích; điều này cần một sự đồng ý riêng.</translation>
    </message>
    <message>
        <source>This is a folder that could not be read when the files were looked for. Mend it, then upload again as a new job.</source>
        <translation>Đây là thư mục không đọc được khi tìm tệp. Hãy sửa rồi tải lên lại bằng một lần tải mới.</translation>
    </message>
    <message>
        <source>This is no longer a file.</source>
        <translation>Đây không còn là tệp nữa.</translation>
    </message>
    <message>
        <source>This sync was aborted on the server; nothing can be added to it. Start a new one.</source>
        <translation>Lượt đồng bộ này đã bị hủy bỏ trên máy chủ; không thể thêm gì vào nữa. Hãy bắt đầu lượt mới.</translation>
    </message>
    <message>
        <source>This system has no keyring that LakeDrop can use (on Linux: GNOME Keyring or KWallet in a desktop session). {way_out}</source>
        <translation>Máy này không có kho khóa mà LakeDrop dùng được (trên Linux: GNOME Keyring hoặc KWallet trong phiên làm việc đồ họa). {way_out}</translation>
    </message>
    <message>
        <source>a file that {system} keeps for itself</source>
        <translation>tệp mà {system} giữ cho riêng mình</translation>
    </message>
    <message>
        <source>a folder that {system} keeps for itself</source>
        <translation>thư mục mà {system} giữ cho riêng mình</translation>
    </message>
    <message>
        <source>a symbolic link; links are not followed</source>
        <translation>một liên kết tượng trưng; LakeDrop không đi theo liên kết</translation>
    </message>
    <message>
        <source>an unfinished download</source>
        <translation>một bản tải xuống chưa xong</translation>
    </message>
    <message>
        <source>excluded by a pattern of this upload</source>
        <translation>bị một mẫu của lần tải lên này loại ra</translation>
    </message>
    <message>
        <source>found</source>
        <translation>tìm</translation>
    </message>
    <message>
        <source>it is a folder</source>
        <translation>đó là thư mục</translation>
    </message>
    <message>
        <source>it is not there any more</source>
        <translation>tệp không còn ở đó</translation>
    </message>
    <message>
        <source>left by a program that has, or had, a file open</source>
        <translation>do một chương trình đang hoặc đã mở tệp để lại</translation>
    </message>
    <message>
        <source>matches no pattern that this upload includes</source>
        <translation>không khớp mẫu nào mà lần tải lên này nhận vào</translation>
    </message>
    <message>
        <source>no file is in it; if there should be, is its disk connected?</source>
        <translation>không có tệp nào trong đó; nếu lẽ ra phải có, ổ đĩa của nó đã được kết nối chưa?</translation>
    </message>
    <message>
        <source>not a file or a folder</source>
        <translation>không phải tệp hay thư mục</translation>
    </message>
    <message>
        <source>read</source>
        <translation>đọc</translation>
    </message>
    <message>
        <source>removed</source>
        <translation>xóa</translation>
    </message>
    <message>
        <source>stored</source>
        <translation>lưu</translation>
    </message>
    <message>
        <source>the disk is full</source>
        <translation>đĩa đầy</translation>
    </message>
    <message>
        <source>the disk reports an error</source>
        <translation>đĩa báo lỗi</translation>
    </message>
    <message>
        <source>too many files are open</source>
        <translation>có quá nhiều tệp đang mở</translation>
    </message>
    <message>
        <source>you may not read it</source>
        <translation>bạn không có quyền đọc</translation>
    </message>
    <message>
        <source>{files} of {planned} did not arrive, so the full sync was not ended. The data that is there stays as it was.</source>
        <translation>{files} trên tổng số {planned} chưa tới nơi, nên lượt đồng bộ toàn bộ chưa kết thúc. Dữ liệu hiện có giữ nguyên.</translation>
    </message>
    <message>
        <source>{files} of {planned} did not arrive.</source>
        <translation>{files} trên tổng số {planned} chưa tới nơi.</translation>
    </message>
    <message>
        <source>{host} (through the proxy {proxy})</source>
        <translation>{host} (qua máy chủ ủy nhiệm {proxy})</translation>
    </message>
    <message>
        <source>{host} answered before it had the whole file. It will be sent again.</source>
        <translation>{host} trả lời trước khi nhận đủ tệp. Tệp sẽ được gửi lại.</translation>
    </message>
    <message>
        <source>{host} answered {status}, with a web page.</source>
        <translation>{host} trả lời {status}, kèm một trang web.</translation>
    </message>
    <message>
        <source>{host} answered {status}.</source>
        <translation>{host} trả lời {status}.</translation>
    </message>
    <message>
        <source>{host} broke the connection off, or did not answer in proper HTTP.</source>
        <translation>{host} đã ngắt kết nối, hoặc không trả lời đúng HTTP.</translation>
    </message>
    <message>
        <source>{host} did not answer for {seconds} s.</source>
        <translation>{host} không trả lời trong {seconds} giây.</translation>
    </message>
    <message>
        <source>{host} did not answer within {seconds} s. Is it running?</source>
        <translation>{host} không trả lời trong {seconds} giây. Máy chủ có đang chạy không?</translation>
    </message>
    <message>
        <source>{host} did not take the file: {words}.</source>
        <translation>{host} không nhận tệp: “{words}”.</translation>
    </message>
    <message>
        <source>{host} refused the connection. Is the server running there?</source>
        <translation>{host} từ chối kết nối. Máy chủ có đang chạy ở đó không?</translation>
    </message>
    <message>
        <source>{host} says that it ended a sync that cannot exist. It does not look like a server for uploads; check the address of this connection.</source>
        <translation>{host} báo đã kết thúc một lượt đồng bộ không thể có. Đây có vẻ không phải máy chủ nhận tệp; hãy kiểm tra địa chỉ của kết nối này.</translation>
    </message>
    <message>
        <source>{host} says: {words} ({status}).</source>
        <translation>{host} báo: “{words}” ({status}).</translation>
    </message>
    <message>
        <source>{host} sends us on to another address instead of answering. LakeDrop does not follow, so that the API key stays where it belongs. Check the address of this connection (http or https, the right host, the right path).</source>
        <translation>{host} chuyển chúng ta sang địa chỉ khác thay vì trả lời. LakeDrop không đi theo, để khóa API ở đúng chỗ của nó. Hãy kiểm tra địa chỉ của kết nối này (http hay https, đúng máy, đúng đường dẫn).</translation>
    </message>
    <message>
        <source>{host} took no more data for {seconds} s.</source>
        <translation>{host} không nhận thêm dữ liệu trong {seconds} giây.</translation>
    </message>
    <message>
        <source>{path} cannot be read: {reason}.</source>
        <translation>Không đọc được {path}: {reason}.</translation>
    </message>
    <message>
        <source>{what} Give this connection the right API key.</source>
        <translation>{what} Hãy nhập đúng khóa API cho kết nối này.</translation>
    </message>
    <message>
        <source>{what} Is the address of this connection right?</source>
        <translation>{what} Địa chỉ của kết nối này có đúng không?</translation>
    </message>
    <message>
        <source>{what} Make room on the server, then try again.</source>
        <translation>{what} Hãy giải phóng chỗ trên máy chủ rồi thử lại.</translation>
    </message>
    <message>
        <source>{what} The files that are left wait; try again later.</source>
        <translation>{what} Các tệp còn lại đang chờ; hãy thử lại sau.</translation>
    </message>
</context>
<context>
    <name>ServerListPage</name>
    <message>
        <source>Loading…</source>
        <translation>Đang tải…</translation>
    </message>
    <message>
        <source>Nothing to show</source>
        <translation>Không có gì để hiện</translation>
    </message>
    <message>
        <source>Refresh</source>
        <translation>Làm mới</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Thử lại</translation>
    </message>
</context>
<context>
    <name>ServerModel</name>
    <message>
        <source>The server does not give this row</source>
        <translation>Máy chủ không đưa ra hàng này</translation>
    </message>
</context>
<context>
    <name>StartQuestions</name>
    <message>
        <source>A full sync is never ended without all of its files. Rename them first.</source>
        <translation>Đồng bộ toàn bộ không bao giờ được kết thúc khi thiếu tệp. Hãy đổi tên chúng trước.</translation>
    </message>
    <message>
        <source>Do not empty it</source>
        <translation>Không làm trống</translation>
    </message>
    <message>
        <source>Do not replace</source>
        <translation>Không thay thế</translation>
    </message>
    <message>
        <source>Do not upload</source>
        <translation>Không tải lên</translation>
    </message>
    <message>
        <source>Empty it</source>
        <translation>Làm trống</translation>
    </message>
    <message>
        <source>Empty {0}?</source>
        <translation>Làm trống {0}?</translation>
    </message>
    <message>
        <source>Files of the same name in several folders</source>
        <translation>Tệp trùng tên ở nhiều thư mục</translation>
    </message>
    <message>
        <source>Let it shrink</source>
        <translation>Cho phép giảm</translation>
    </message>
    <message>
        <source>Names to look at</source>
        <translation>Những tên cần xem lại</translation>
    </message>
    <message>
        <source>Nobody can see whether this server keeps folders apart. If it does not, one of these would overwrite the other: {0}.</source>
        <translation>Không ai biết máy chủ này có tách riêng các thư mục hay không. Nếu không, tệp này sẽ ghi đè tệp kia: {0}.</translation>
    </message>
    <message>
        <source>Replace</source>
        <translation>Thay thế</translation>
    </message>
    <message>
        <source>Replace the data at {0}?</source>
        <translation>Thay dữ liệu ở {0}?</translation>
    </message>
    <message>
        <source>Shrink the data at {0} by more than {1}?</source>
        <translation>Giảm dữ liệu tại {0} hơn {1}?</translation>
    </message>
    <message>
        <source>The last full sync from here had {0}; this one has {1}. Is everything there that you mean to upload, and is every disk connected?</source>
        <translation>Lần đồng bộ toàn bộ trước từ đây có {0}; lần này có {1}. Mọi thứ bạn muốn tải lên đã đủ chưa, và mọi ổ đĩa đã được kết nối chưa?</translation>
    </message>
    <message>
        <source>There are {0} now, and {1} would be left. Is everything there that you mean to upload, and is every disk connected?</source>
        <translation>Hiện có {0}, và sẽ chỉ còn {1}. Mọi thứ bạn muốn tải lên đã đủ chưa, và mọi ổ đĩa đã được kết nối chưa?</translation>
    </message>
    <message>
        <source>There is no file in {0}. This full sync takes away at {1} what was there before. Is a disk missing?</source>
        <translation>Không có tệp nào trong {0}. Lần đồng bộ toàn bộ này sẽ lấy đi tại {1} những gì trước đây ở đó. Có thiếu ổ đĩa nào không?</translation>
    </message>
    <message>
        <source>There is no file to upload. Ending this full sync takes away all that is at {0} and puts nothing in its place.</source>
        <translation>Không có tệp nào để tải lên. Kết thúc lượt đồng bộ toàn bộ này sẽ lấy đi mọi thứ ở {0} mà không thay bằng gì.</translation>
    </message>
    <message>
        <source>These differ only in case or accents; some systems would keep one of them:</source>
        <translation>Các tên này chỉ khác chữ hoa, chữ thường hoặc cách viết dấu; có hệ thống chỉ giữ lại một tên:</translation>
    </message>
    <message>
        <source>This server cannot tell what is at {0}. Whatever is there is taken away, do not count on getting it back; {1} take its place.</source>
        <translation>Máy chủ này không cho biết có gì ở {0}. Mọi thứ ở đó sẽ bị lấy đi, đừng trông mong lấy lại được; {1} sẽ thay vào.</translation>
    </message>
    <message numerus="yes">
        <source>This server may refuse %n file(s):</source>
        <translation>
            <numerusform>Máy chủ này có thể từ chối %n tệp:</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>This server will refuse %n file(s):</source>
        <translation>
            <numerusform>Máy chủ này sẽ từ chối %n tệp:</numerusform>
        </translation>
    </message>
    <message>
        <source>Upload all the same</source>
        <translation>Vẫn tải lên</translation>
    </message>
    <message>
        <source>Upload without it</source>
        <translation>Tải lên mà không có nó</translation>
    </message>
    <message>
        <source>Upload without what is empty?</source>
        <translation>Tải lên mà thiếu phần trống?</translation>
    </message>
    <message>
        <source>{0} at {1} move to the trash; {2} take their place.</source>
        <translation>{0} ở {1} vào thùng rác; {2} thay vào chỗ đó.</translation>
    </message>
</context>
<context>
    <name>StartTalk</name>
    <message>
        <source>Cancel the upload</source>
        <translation>Hủy tải lên</translation>
    </message>
    <message>
        <source>Cancel this upload?</source>
        <translation>Hủy lượt tải lên này?</translation>
    </message>
    <message>
        <source>Files that have arrived stay at {0}; the rest is not uploaded.</source>
        <translation>Các tệp đã tới vẫn ở {0}; phần còn lại không được tải lên.</translation>
    </message>
    <message>
        <source>Go on uploading</source>
        <translation>Tải tiếp</translation>
    </message>
    <message>
        <source>Keep it</source>
        <translation>Giữ lại</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Xóa</translation>
    </message>
    <message>
        <source>Remove this upload from the list?</source>
        <translation>Xóa lượt tải lên này khỏi danh sách?</translation>
    </message>
    <message>
        <source>The data at {0} stays as it was.</source>
        <translation>Dữ liệu ở {0} giữ nguyên.</translation>
    </message>
    <message>
        <source>There is no file in this upload yet. Drop files or folders first.</source>
        <translation>Lượt này chưa có tệp nào. Hãy thả tệp hoặc thư mục vào trước.</translation>
    </message>
    <message>
        <source>What was uploaded stays staged on this server, where the next full sync of {0} would publish it; the sync stays Syncing there. The data that is there now stays.</source>
        <translation>Phần đã tải lên nằm chờ trên máy chủ này, và lượt đồng bộ toàn bộ kế tiếp của {0} sẽ công bố nó; lượt này vẫn ở trạng thái Syncing tại đó. Dữ liệu đang có giữ nguyên.</translation>
    </message>
    <message>
        <source>{0} were added to it. The files themselves stay where they are.</source>
        <translation>Đã thêm {0} vào đó. Bản thân các tệp vẫn ở chỗ cũ.</translation>
    </message>
</context>
<context>
    <name>StateTexts</name>
    <message>
        <source>Already there</source>
        <translation>Đã có sẵn</translation>
    </message>
    <message>
        <source>Cancelled</source>
        <translation>Đã hủy</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>Lỗi</translation>
    </message>
    <message>
        <source>Finished</source>
        <translation>Hoàn tất</translation>
    </message>
    <message>
        <source>Finishing</source>
        <translation>Đang kết thúc</translation>
    </message>
    <message>
        <source>Full</source>
        <translation>Toàn bộ</translation>
    </message>
    <message>
        <source>Incremental</source>
        <translation>Tăng dần</translation>
    </message>
    <message>
        <source>Local lake</source>
        <translation>Hồ trên máy này</translation>
    </message>
    <message>
        <source>Needs attention</source>
        <translation>Cần xem lại</translation>
    </message>
    <message>
        <source>Not started</source>
        <translation>Chưa bắt đầu</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>Tạm dừng</translation>
    </message>
    <message>
        <source>Queued</source>
        <translation>Đang chờ</translation>
    </message>
    <message>
        <source>Starting</source>
        <translation>Đang bắt đầu</translation>
    </message>
    <message>
        <source>Syncing</source>
        <translation>Đang đồng bộ</translation>
    </message>
    <message>
        <source>Uploaded</source>
        <translation>Đã tải lên</translation>
    </message>
    <message>
        <source>Uploading</source>
        <translation>Đang tải lên</translation>
    </message>
    <message>
        <source>Verified</source>
        <translation>Đã xác minh</translation>
    </message>
    <message>
        <source>Verifying</source>
        <translation>Đang xác minh</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>Chờ thử lại</translation>
    </message>
    <message>
        <source>Waiting to start</source>
        <translation>Chờ bắt đầu</translation>
    </message>
</context>
<context>
    <name>UploadFront</name>
    <message>
        <source>Upload</source>
        <translation>Tải lên</translation>
    </message>
</context>
<context>
    <name>UploadPage</name>
    <message>
        <source>Add files</source>
        <translation>Thêm tệp</translation>
    </message>
    <message>
        <source>Add folder</source>
        <translation>Thêm thư mục</translation>
    </message>
    <message>
        <source>All</source>
        <translation>Tất cả</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Đóng</translation>
    </message>
    <message>
        <source>Drop files or folders from the file manager; links to web pages stay out.</source>
        <translation>Hãy thả tệp hoặc thư mục từ trình quản lý tệp; liên kết trang web bị bỏ ra.</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>Lỗi</translation>
    </message>
    <message>
        <source>Left out, and not uploaded</source>
        <translation>Bị bỏ ra, không tải lên</translation>
    </message>
    <message>
        <source>Looking for files…</source>
        <translation>Đang tìm tệp…</translation>
    </message>
    <message>
        <source>New upload</source>
        <translation>Lượt tải lên mới</translation>
    </message>
    <message>
        <source>No files yet</source>
        <translation>Chưa có tệp nào</translation>
    </message>
    <message>
        <source>Open connections</source>
        <translation>Mở trang Kết nối</translation>
    </message>
    <message>
        <source>That is no file of this machine</source>
        <translation>Đó không phải tệp trên máy này</translation>
    </message>
    <message>
        <source>The files are here</source>
        <translation>Tệp nằm ở đây</translation>
    </message>
</context>
</TS>
