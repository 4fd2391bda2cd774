#: row = 14
#: says = "ships sitecustomize.py, usercustomize.py and a .pth file"
#: control = "python path"
#: notebook = true
print("the work itself does nothing")
